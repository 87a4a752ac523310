"""`flask plugins`: what is installed, in which state, why, and what to do. Works with PostgreSQL and Valkey down."""

from __future__ import annotations

import json
from pathlib import Path

import click
from flask.cli import with_appcontext

from jiki_core.cli.plugin_authoring import check_distribution, new_command
from jiki_core.cli.plugin_comparing import diff_command, surface_command
from jiki_core.cli.plugin_host import explain, installed, look_at_database, the_host
from jiki_core.cli.plugin_pausing import pause_command, resume_command
from jiki_core.cli.plugin_purging import purge_command
from jiki_core.cli.plugin_selection import apply_command, describe_command, disable_command, enable_command
from jiki_core.cli.plugin_status import check_installation, status_command, why_command
from jiki_core.plugins.description import describe


@click.group("plugins")
def cli() -> None:
    """Look at the installed plugins, and change which of them run."""


for command in (
    why_command,
    status_command,
    describe_command,
    enable_command,
    disable_command,
    apply_command,
    pause_command,
    resume_command,
    purge_command,
    new_command,
    diff_command,
    surface_command,
):
    cli.add_command(command)


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def list_command(as_json: bool) -> None:
    """Every installed plugin with its state, cause and remedy."""
    trouble = look_at_database()
    host = the_host()
    if as_json:
        told = {
            "plugins": [status.as_json() for status in host.statuses()],
            "unknown": [str(mistake) for mistake in host.unknown],
        }
        click.echo(json.dumps(told))
        return
    for status in host.statuses():
        click.echo(f"{status.name:<16} {status.version:<10} {status.state}")
        explain(status)
    for mistake in host.unknown:
        click.echo(str(mistake))
    if trouble:
        click.echo(trouble, err=True)


@cli.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def show_command(name: str, as_json: bool) -> None:
    """One plugin: its state and what it contributes."""
    trouble = look_at_database()
    host = the_host()
    status = installed(name)
    loaded = host.loaded.get(name)
    if as_json:
        contributes = None if loaded is None else describe(name, loaded)
        click.echo(json.dumps({**status.as_json(), "summary": status.summary, "contributes": contributes}))
        return
    click.echo(f"{status.name} {status.version} ({status.package}): {status.state}")
    click.echo(f"  {status.summary}")
    explain(status)
    for title, texts in (("requires", status.requires), ("uses", status.uses)):
        is_known = name in host.manifests  # what is not listed is never imported
        click.echo(f"  {title}: {', '.join(texts) or ('-' if is_known else 'not known before it is enabled')}")
    for title, parts in (describe(name, loaded) if loaded is not None else {}).items():
        if parts:
            click.echo(f"  {title}:")
            for part, said in parts.items():
                click.echo(f"    {part}" + (f"  ({said})" if said else ""))
    if trouble:
        click.echo(trouble, err=True)


@cli.command("check")
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--tests/--no-tests", default=True, help="With PATH: also run its tests (default), or leave them out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def check_command(path: Path | None, tests: bool, as_json: bool) -> None:
    """Fail when a listed plugin does not run; with PATH, go through the checklist for the plugin in that folder."""
    if path is None:
        check_installation(as_json=as_json)
    else:
        check_distribution(path, with_tests=tests, as_json=as_json)
