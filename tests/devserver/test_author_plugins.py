"""`bin/dev --plugin FOLDER`: the folder is what is imported, the plugin is enabled beside the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiki_core.devserver.author_plugins import install, packages_of, read_plugins, selection_with
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.stack import _parse

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-lamps"
version = "0.1.0"
dependencies = ["jiki-core>=1.0,<2"]

[project.entry-points."jiki.plugins"]
lamps = "acme_lamps.plugin:plugin"

[tool.hatch.build.targets.wheel]
packages = ["acme_lamps"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "acme_lamps"
    (home / "acme_lamps").mkdir(parents=True)
    (home / "acme_lamps" / "__init__.py").write_text("")
    (home / "pyproject.toml").write_text(PROJECT)
    return home


def test_the_option_may_be_repeated(folder: Path) -> None:
    options = _parse(["--plugin", str(folder), "--plugin", "other"])
    assert options.plugins == (folder, Path("other"))
    assert _parse([]).plugins == ()


def test_it_is_enabled_beside_what_the_project_enables(folder: Path, tmp_path: Path) -> None:
    plugins = read_plugins([folder])
    config = tmp_path / "jiki.toml"
    config.write_text('[plugins]\nenabled = ["auth", "lamps"]\n')
    assert selection_with(plugins, {"JIKI_CONFIG": str(config)}) == {"JIKI_PLUGINS_ENABLED": "auth,lamps"}
    assert selection_with(plugins, {"JIKI_PLUGINS_ENABLED": "auth"}) == {"JIKI_PLUGINS_ENABLED": "auth,lamps"}
    assert selection_with([], {"JIKI_PLUGINS_ENABLED": "auth"}) == {}
    assert packages_of(plugins) == [folder / "acme_lamps"]


def test_its_folder_is_what_is_imported(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    monkeypatch.setenv("PIP_TARGET", str(site))  # not into the environment of the tests
    install(read_plugins([folder]))
    (pointer,) = site.glob("*.pth")
    assert pointer.read_text().strip() == str(folder)
    assert "lamps = acme_lamps.plugin:plugin" in next(site.glob("*.dist-info/entry_points.txt")).read_text()


def test_a_folder_that_cannot_be_installed_says_what_pip_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = read_plugins([folder])
    monkeypatch.setenv("PIP_TARGET", str(folder / "site"))
    (folder / "pyproject.toml").write_text(PROJECT.replace("hatchling.build", "nowhere.build"))
    with pytest.raises(ServiceError, match="lamps could not be installed"):
        install(plugins)


def test_a_folder_without_a_plugin_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="is missing; give the folder"):
        read_plugins([tmp_path])
