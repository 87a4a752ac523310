"""`flask plugins enable|disable|apply`: change the selection in jiki.toml, after showing what that changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import tomlkit
from flask import current_app
from flask.cli import with_appcontext

from jiki_core.cli.plugin_host import installed, need_database, the_host
from jiki_core.configuration import Configuration
from jiki_core.plugins.apply import apply_changes
from jiki_core.plugins.description import describe, differences
from jiki_core.plugins.pausing import dependents_of
from jiki_core.plugins.state import PluginState


@click.command("describe")
@with_appcontext
def describe_command() -> None:
    """Print the states of all plugins and what the loaded ones contribute, as JSON."""
    click.echo(json.dumps(_picture()))


@click.command("enable")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def enable_command(name: str, yes: bool) -> None:
    """List NAME in jiki.toml. Tables and data are left alone; a restart loads it."""
    installed(name)
    _change([*_enabled(), name], name, yes=yes, is_enabling=True)


@click.command("disable")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def disable_command(name: str, yes: bool) -> None:
    """Take NAME out of jiki.toml. Its tables and data stay; a restart unloads it."""
    if name not in _enabled():
        installed(name)
    _change([one for one in _enabled() if one != name], name, yes=yes, is_enabling=False)


@click.command("apply")
@with_appcontext
def apply_command() -> None:
    """Tell plugins what this deploy changes: enabled, disabled, upgraded. Once per deploy, after `flask db upgrade`."""
    need_database()
    done, failed = apply_changes(the_host())
    for change in done:
        click.echo(change.sentence())
    for change, plugin, error in failed:
        click.echo(f"{plugin} could not take in that {change.sentence()}: {error}; run this again", err=True)
    if failed:
        raise SystemExit(1)
    if not done:
        click.echo("nothing changed since the last deploy")


def _change(wanted: list[str], name: str, *, yes: bool, is_enabling: bool) -> None:
    configuration: Configuration = current_app.extensions["jiki.configuration"]
    if sorted(wanted) == sorted(_enabled()) or (is_enabling and name in _enabled()):
        click.echo(f"{name} is {'enabled' if is_enabling else 'disabled'} already")
        return
    if "JIKI_PLUGINS_ENABLED" in configuration.sources.environment:
        raise click.ClickException("JIKI_PLUGINS_ENABLED is set and wins over jiki.toml; change it there")
    if name in configuration.selection.required:
        raise click.ClickException(f"{name} is required; take it out of [plugins] required first")
    before, after = _picture(), picture_with(wanted)
    if is_enabling and after["states"][name]["state"] != PluginState.RUNNING:
        told = after["states"][name]
        raise click.ClickException(f"{name} would be {told['state']}: {told['cause']}; {told['remedy']}")
    for line in differences(before["plugins"], after["plugins"]):
        click.echo(f"  {line}")
    if not is_enabling:
        for one in dependents_of(name, the_host().requirements()):
            click.echo(f"  {one} needs {name} and will be blocked")
    path = configuration.sources.path or Path("jiki.toml")
    if not yes:
        click.confirm(f"{'Enable' if is_enabling else 'Disable'} {name} in {path}?", abort=True)
    write_selection(path, wanted)
    click.echo(f"{path} is changed; next: `flask db upgrade`, restart every process, `flask plugins apply`")


def write_selection(path: Path, enabled: Sequence[str]) -> None:
    """Sets `[plugins] enabled`, keeping comments and layout of everything else."""
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    section = document.setdefault("plugins", tomlkit.table())
    listed = section.get("enabled")
    if listed is None:
        section["enabled"] = list(enabled)
    else:
        for one in [one for one in listed if one not in enabled]:
            listed.remove(one)
        for one in enabled:
            if one not in listed:
                listed.append(one)
    partial = path.with_suffix(".toml.new")
    partial.write_text(tomlkit.dumps(document), encoding="utf-8")
    partial.replace(path)


def _enabled() -> list[str]:
    configuration: Configuration = current_app.extensions["jiki.configuration"]
    return list(configuration.selection.enabled)


def _picture() -> dict[str, Any]:
    host = the_host()
    return {
        "states": {one.name: one.as_json() for one in host.statuses()},
        "plugins": {name: describe(name, one) for name, one in host.loaded.items()},
    }


def picture_with(enabled: Sequence[str]) -> dict[str, Any]:
    """The picture of another selection, from a process of its own: what is imported cannot be taken back here."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "jiki_core", "plugins", "describe"],
        env={**os.environ, "JIKI_PLUGINS_ENABLED": ",".join(enabled), "JIKI_LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise click.ClickException(f"the new selection could not be loaded: {done.stderr.strip()[-2_000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
