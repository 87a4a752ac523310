"""`flask plugins diff`: what an upgrade of one plugin brings, takes and breaks, before anything is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.cli.plugin_host import installed, need_database, the_host
from jiki_core.configuration import Configuration
from jiki_core.db import reading
from jiki_core.db.migration_sets import set_of_package
from jiki_core.db.records import PluginRecord
from jiki_core.plugins.comparing import Difference, compare
from jiki_core.plugins.discovery import GROUP
from jiki_core.plugins.host import LoadedPlugin
from jiki_core.plugins.state import PluginStatus
from jiki_core.plugins.surface import surface_of, surface_of_record


@click.command("surface", hidden=True)
@click.argument("name")
@with_appcontext
def surface_command(name: str) -> None:
    """Print everything of NAME that others rely on, as JSON."""
    status = installed(name)
    loaded = the_host().loaded.get(name)
    click.echo(json.dumps(_told(status, loaded)))


def _told(status: PluginStatus, loaded: LoadedPlugin | None) -> dict[str, Any]:
    return {"status": status.as_json(), "surface": None if loaded is None else surface_of(status.name, loaded)}


@click.command("diff")
@click.argument("name")
@click.argument("other", required=False, metavar="[WHEEL|VERSION]")
@click.option("--strict", is_flag=True, help="Fail when anything breaks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def diff_command(name: str, other: str | None, strict: bool, as_json: bool) -> None:
    """What changes from the installed NAME to a wheel file or a version, breaking changes marked with an exclamation mark.

    A version is fetched with pip, from wherever that is set up to look. Without one, what the last deploy recorded is
    compared with what is installed now: requirements, contracts, personal data and migrations.
    """
    installed(name)
    if other is None:
        before, after, versions = _recorded_and_installed(name)
    else:
        with _unpacked(name, other) as site:
            old, new = _surface_here(name), _surface_from(name, site)
        before, after = old["surface"], new["surface"]
        versions = (old["status"]["version"], new["status"]["version"])
    found = list(compare(before, after))
    breaking = sum(bool(one.breaks) for one in found)
    if as_json:
        _print_json(name, versions, found)
    else:
        click.echo(f"{name} {versions[0]} -> {versions[1]}")
        for one in found:
            for line in one.lines():
                click.echo(line)
        click.echo(
            f"{len(found)} changes, {breaking} of them breaking" if found else "nothing that others rely on changes"
        )
    if strict and breaking:
        raise SystemExit(1)


def _print_json(name: str, versions: tuple[str, str], found: list[Difference]) -> None:
    told = {"plugin": name, "from": versions[0], "to": versions[1], "changes": [one.as_json() for one in found]}
    click.echo(json.dumps(told))


def _recorded_and_installed(name: str) -> tuple[Any, Any, tuple[str, str]]:
    need_database()
    record = reading().execute(select(PluginRecord).where(PluginRecord.name == name)).scalar_one_or_none()
    if record is None:
        raise click.ClickException(f"no deploy has recorded {name} yet; give a wheel or a version to compare with")
    told = _surface_here(name)
    found = set_of_package(name, the_host().discovered[name].package)
    before = surface_of_record(record, found.revisions() if found is not None else [])
    return before, told["surface"], (record.version, told["status"]["version"])


def _surface_here(name: str) -> dict[str, Any]:
    """What is installed tells; from a process of its own when it is not enabled here."""
    loaded = the_host().loaded.get(name)
    return _surface_from(name) if loaded is None else _told(the_host().status(name), loaded)


def _surface_from(name: str, site: Path | None = None) -> dict[str, Any]:
    """What a process of its own tells of NAME, with the packages in `site` before those that are installed."""
    configuration: Configuration = current_app.extensions["jiki.configuration"]
    enabled = list(dict.fromkeys([*configuration.selection.enabled, name]))
    file = configuration.sources.path
    path = [*([str(site)] if site is not None else []), *(one or str(Path.cwd()) for one in sys.path)]
    with tempfile.TemporaryDirectory(prefix="jiki-diff-") as nowhere:
        # it sees what this process sees; flask would look into its working directory first, hence an empty one
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "jiki_core", "plugins", "surface", name],
            cwd=nowhere,
            env={
                **os.environ,
                **({"JIKI_CONFIG": str(file.resolve())} if file is not None else {}),
                "PYTHONPATH": os.pathsep.join(path),
                "JIKI_PLUGINS_ENABLED": ",".join(enabled),
                "JIKI_LOG_LEVEL": "ERROR",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    if done.returncode != 0:
        raise click.ClickException(f"{name} could not be loaded: {done.stderr.strip()[-2_000:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    if told["surface"] is None:
        status = told["status"]
        raise click.ClickException(
            f"{name} {status['version']} would be {status['state']}: {status['cause']}; {status['remedy']}"
        )
    return told


@contextmanager
def _unpacked(name: str, other: str) -> Iterator[Path]:
    """A folder with the packages of a wheel; `other` is its path, or a version that pip fetches."""
    with tempfile.TemporaryDirectory(prefix="jiki-diff-") as folder:
        wheel = Path(other)
        if not other.endswith(".whl"):
            wheel = _fetched(the_host().discovered[name].distribution, other, Path(folder) / "wheel")
        site = Path(folder) / "site"
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
        except (OSError, zipfile.BadZipFile) as error:
            raise click.ClickException(f"{wheel} cannot be read as a wheel: {error}") from error
        told = [
            entry
            for metadata in site.glob("*.dist-info")
            for entry in PathDistribution(metadata).entry_points.select(group=GROUP, name=name)
        ]
        if not told:
            raise click.ClickException(
                f"{wheel.name} holds no plugin {name}; give one of {the_host().discovered[name].distribution}"
            )
        yield site


def _fetched(distribution: str, version: str, folder: Path) -> Path:
    command = ["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", *command, f"{distribution}=={version}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise click.ClickException(f"pip could not fetch {distribution} {version}: {done.stderr.strip()[-1_000:]}")
    return next(folder.glob("*.whl"))
