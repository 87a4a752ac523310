"""`flask plugins`: what is installed, in which state, why, and what to do. Works with PostgreSQL and Valkey down."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from jiki_core.cli.plugin_host import explain, installed, look_at_database, the_host
from jiki_core.cli.plugin_pausing import pause_command, resume_command
from jiki_core.cli.plugin_status import check_installation, status_command, why_command


@click.group("plugins")
def cli() -> None:
    """Look at the installed plugins, and change which of them run."""


for command in (why_command, status_command, pause_command, resume_command):
    cli.add_command(command)


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def list_command(as_json: bool) -> None:
    """Every installed plugin with its state, cause and remedy."""
    trouble = look_at_database()
    host = the_host()
    if as_json:
        click.echo(json.dumps({"plugins": [status.as_json() for status in host.statuses()]}))
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
@with_appcontext
def show_command(name: str) -> None:
    """One plugin: its state and what it contributes."""
    look_at_database()
    host = the_host()
    status = installed(name)
    click.echo(f"{status.name} {status.version} ({status.package}): {status.state}")
    click.echo(f"  {status.summary}")
    explain(status)
    for title, texts in (("requires", status.requires), ("uses", status.uses)):
        click.echo(f"  {title}: {', '.join(texts) or '-'}")
    loaded = host.loaded.get(name)
    if loaded is None:
        return
    given = loaded.contributions
    routes = [f"{'/'.join(sorted(r.methods))} {m.prefix}{r.rule}" for m in given.blueprints for r in m.blueprint.routes]
    for title, names in (
        ("routes", routes),
        ("tables", [model.__tablename__ for model in given.models]),
        ("jobs", [job.stored_names(name)[0] for job in given.jobs]),
        ("listeners", [one.event_name for one in given.listeners]),
        ("channels", [channel.name for channel in given.channels]),
        ("contracts", [one.contract.__name__ for one in given.providers]),
        ("permissions", [one.name for one in given.permissions]),
        ("mails", [one.key for one in given.emails]),
    ):
        if names:
            click.echo(f"  {title}:")
            for one in names:
                click.echo(f"    {one}")


@cli.command("check")
@with_appcontext
def check_command() -> None:
    """Fail when a listed plugin does not run."""
    check_installation()
