"""`bin/dev --plugin FOLDER`: an author's plugin, installed from its folder as it is edited, and enabled for this stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jiki_core.configuration import PluginSelection
from jiki_core.devserver.errors import ServiceError
from jiki_core.plugins.quality import Distribution, NoPlugin, read_distribution
from jiki_core.settings import ConfigurationError, Sources, load_section


def read_plugins(folders: Sequence[Path]) -> list[Distribution]:
    """What the folders hold. Raises ServiceError for one without a plugin."""
    try:
        return [read_distribution(folder.resolve()) for folder in folders]
    except NoPlugin as error:
        raise ServiceError(f"--plugin: {error}", "name a folder that `flask plugins new` could have written") from error


def install(plugins: Sequence[Distribution]) -> None:
    """Installs each so that its folder is what is imported; what it depends on must be there. Raises ServiceError."""
    for one in plugins:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        done = subprocess.run(
            [*pip, "--no-deps", "--no-build-isolation", "--editable", str(one.root)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServiceError(
                f"{one.plugin} could not be installed: {done.stderr.strip()[-1_000:]}",
                f"run: {sys.executable} -m pip install -e {one.root}",
            )


def selection_with(plugins: Sequence[Distribution], environment: Mapping[str, str]) -> dict[str, str]:
    """The variable that lists what is enabled anyway and these, for every process of the stack. Raises ServiceError."""
    if not plugins:
        return {}
    try:
        section = load_section(PluginSelection, "plugins", Sources.read(environment))
    except ConfigurationError as error:
        raise ServiceError(str(error), "correct the file, or take JIKI_CONFIG away") from error
    if section.mistakes:
        raise ServiceError("; ".join(map(str, section.mistakes)), "correct [plugins] in jiki.toml or the environment")
    names = dict.fromkeys([*section.instance.enabled, *(one.plugin for one in plugins)])
    return {"JIKI_PLUGINS_ENABLED": ",".join(names)}


def packages_of(plugins: Sequence[Distribution]) -> list[Path]:
    """The folders whose files are watched."""
    return [one.root / one.package for one in plugins]
