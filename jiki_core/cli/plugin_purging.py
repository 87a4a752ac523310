"""`flask plugins purge`: drops a plugin's tables after an export and the name typed once more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.cli.plugin_host import need_database, the_host
from jiki_core.db import db, unit_of_work
from jiki_core.db.records import PluginRecord
from jiki_core.plugins.apply import change_lock
from jiki_core.plugins.lifecycle import ChangeKind, PluginChange
from jiki_core.plugins.purging import Leavings, PurgeRefused, export_tables, leavings_of, purge, refuse_purge
from jiki_core.settings import nearest


@click.command("purge")
@click.argument("name")
@click.option("--reason", default="purged by an operator", help="Why, for the audit trail.")
@click.option("--export", "target", type=click.Path(path_type=Path, dir_okay=False), help="Where the tables are kept.")
@click.option("--no-export", is_flag=True, help="Keep nothing.")
@click.option("--confirm", help="The plugin's name, for scripts; asked for otherwise.")
@with_appcontext
def purge_command(name: str, reason: str, target: Path | None, no_export: bool, confirm: str | None) -> None:
    """Drop the tables of NAME and what the core keeps for it. The plugin must be off; its package may be gone."""
    need_database()
    if name == "core" or the_host().is_listed(name):
        raise click.ClickException(
            f"{name} is in use; run `flask plugins disable {name}` and restart every process first"
        )
    left = _look(name)
    for table, rows in left.tables.items():
        click.echo(f"  {name}.{table}: {rows} rows")
    typed = confirm if confirm is not None else click.prompt(f"This drops them for good. Type {name} to go on")
    if typed != name:
        raise click.ClickException("that is another name; nothing was dropped")
    try:
        with change_lock():
            if not no_export:
                path = target or Path(f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip")
                with db.engine.connect() as connection:
                    export_tables(connection, left, path)
                click.echo(f"exported to {path}")
            change = PluginChange(ChangeKind.PURGING, name, left.version, None)
            for plugin, error in the_host().tell_change(change):
                raise PurgeRefused(f"{plugin} could not take in that {change.sentence()}: {error}; nothing was dropped")
            with unit_of_work() as uow:
                purge(uow, name, reason=reason)
    except (PurgeRefused, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} is purged")


def _look(name: str) -> Leavings:
    with db.engine.connect() as connection:
        left = leavings_of(connection, name)
        if left is None:
            known = connection.scalars(select(PluginRecord.name)).all()
            raise click.ClickException(f"there is nothing of {name} in the database{nearest(name, known)}")
        try:
            refuse_purge(connection, name)
        except PurgeRefused as error:
            raise click.ClickException(str(error)) from error
    return left
