"""`flask db`: migrations of the core and of every plugin, in dependency order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from jiki_core.db import Model, db, unit_of_work
from jiki_core.db.migration_sets import (
    MigrationRefused,
    MigrationSet,
    core_set,
    current_revision,
    differences,
    downgrade,
    new_revision,
    planned,
    planned_sql,
    set_of_package,
    set_status,
    upgrade,
)
from jiki_core.db.records import PluginRecord
from jiki_core.plugins.host import PluginHost
from jiki_core.plugins.personal_data import stored_form
from jiki_core.schema_gate import plugin_sets, readable_sets


class _Refusals(click.Group):
    """What migrations refuse is told as a sentence, whichever command met it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MigrationRefused as error:
            raise click.ClickException(str(error)) from error


@click.group("db", cls=_Refusals)
def cli() -> None:
    """Migrate the database: the core's tables and those of every plugin, each in a schema of its own."""


@cli.command("upgrade")
@click.option("--plugin", "only", help="This set only, with what it requires.")
@with_appcontext
def upgrade_command(only: str | None) -> None:
    """Bring every set to its newest revision, in dependency order, and record what was found."""
    sets = _chosen(only)
    try:
        changed = upgrade(db.engine, sets)
    except OperationalError as error:
        raise click.ClickException(str(error)) from error
    with _connection() as connection:
        statuses = [set_status(connection, one) for one in sets]
    _record(sets, {status.name: status.current for status in statuses})
    for status in statuses:
        if status.is_ahead:
            click.echo(f"{status.name} is at {status.current}, which its code does not know yet; it stays there")
    click.echo(f"upgraded: {', '.join(changed)}" if changed else "nothing to upgrade")
    if only is None and _unreadable():
        raise SystemExit(1)  # told already; the others are done


@cli.command("plan")
@click.option("--sql", "as_sql", is_flag=True, help="Print the statements.")
@click.option("--plugin", "only", help="This set only, with what it requires.")
@with_appcontext
def plan_command(as_sql: bool, only: str | None) -> None:
    """Show what `flask db upgrade` would do, without doing it."""
    sets = _chosen(only)
    with _connection() as connection:
        pending = {one.name: planned(connection, one) for one in sets}
        if as_sql:
            for one in sets:
                click.echo(planned_sql(connection, one), nl=False)
            return
    for revisions in pending.values():
        for one_revision in revisions:
            click.echo(f"{one_revision.set_name:<16} {one_revision.revision:<24} {one_revision.summary}")
    if not any(pending.values()):
        click.echo("nothing to upgrade")


@cli.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def status_command(as_json: bool) -> None:
    """Compare every set with the database; exits with 1 when one is behind or ahead."""
    with _connection() as connection:
        found = [set_status(connection, one) for one in _all_sets()]
        leftover = _leftover(connection)
    if as_json:
        rows = [
            {
                "name": one.name,
                "current": one.current,
                "head": one.head,
                "behind": one.behind,
                "ahead": one.is_ahead,
            }
            for one in found
        ]
        click.echo(json.dumps({"sets": rows, "leftover": leftover}))
    else:
        for one in found:
            state = "ahead of this code" if one.is_ahead else f"{one.behind} behind" if one.behind else "current"
            click.echo(f"{one.name:<16} {one.current or '-':<24} {state}")
        for name in leftover:
            click.echo(f"{name:<16} {'':<24} not installed; its tables stay until `flask plugins purge {name}`")
    if not all(one.is_current for one in found) or _unreadable():
        raise SystemExit(1)


@cli.command("downgrade")
@click.argument("plugin")
@click.argument("target")
@click.confirmation_option(prompt="Downgrading drops columns and tables with their data. Go on?")
@with_appcontext
def downgrade_command(plugin: str, target: str) -> None:
    """Take the set PLUGIN down to TARGET: a revision, "base", or (after `--`) -1 for one step."""
    downgrade(db.engine, _named(plugin), target)
    click.echo(f"{plugin} is at {target}")


@cli.command("revision")
@click.option("--plugin", required=True, help="The set that gets a revision; `core` for the core's own.")
@click.option("-m", "--message", required=True, help="What it does, in a few words.")
@click.option("--empty", is_flag=True, help="Do not compare models with tables.")
@with_appcontext
def revision_command(plugin: str, message: str, empty: bool) -> None:
    """Write the next revision of one set from the difference between its models and its tables."""
    host: PluginHost = current_app.extensions["jiki.host"]
    if not empty and plugin != "core" and plugin in host.discovered and plugin not in host.loaded:
        raise click.ClickException(
            f"{plugin} is not loaded, so its models are not known and its tables would all be dropped; "
            f"enable it with what it requires (`flask plugins why {plugin}`), or say --empty"
        )
    path = new_revision(db.engine, _named(plugin), message, autogenerate=not empty)
    click.echo(str(path))


@cli.command("check")
@with_appcontext
def check_command() -> None:
    """Fail when a loaded set's models and tables differ."""
    host: PluginHost = current_app.extensions["jiki.host"]
    sets, _ = readable_sets([core_set(), *plugin_sets(host)])
    differing = {name: differences(db.engine, one) for name, one in sets.items()}
    for name, changes in differing.items():
        for change in changes:
            click.echo(f"{name}: {change}", err=True)
    if any(differing.values()):
        raise SystemExit(1)
    click.echo("models and tables agree")


def _all_sets() -> list[MigrationSet]:
    """Core, loaded plugins in dependency order, then dormant ones: off, but with tables."""
    host: PluginHost = current_app.extensions["jiki.host"]
    readable, broken = readable_sets([core_set(), *plugin_sets(host)])
    for name, why in broken.items():
        click.echo(f"{name}: {why}; it is left out", err=True)
    sets = [one for one in readable.values() if not _needs(host, one.name) & broken.keys()]
    known = {one.name for one in sets}
    with _connection() as connection:
        records = _records(connection)
        for name, found in host.discovered.items():
            if name in known or name in host.loaded or current_revision(connection, name) is None:
                continue
            dormant = set_of_package(name, found.package, records.get(name, ()))
            if dormant is not None:
                sets += readable_sets([dormant])[0].values()
    return _dependencies_first(sets)


def _unreadable() -> bool:
    """Whether a loaded plugin's history cannot be read."""
    host: PluginHost = current_app.extensions["jiki.host"]
    return bool(readable_sets(plugin_sets(host))[1])


def _needs(host: PluginHost, name: str) -> set[str]:
    """What a loaded plugin requires, transitively."""
    requires = host.requirements()
    found: set[str] = set()
    waiting = list(requires.get(name, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += requires.get(one, ())
    return found


def _leftover(connection: Any) -> list[str]:
    """Plugins that are not installed any more and have tables: known from their records alone."""
    host: PluginHost = current_app.extensions["jiki.host"]
    return [
        name
        for name in sorted(_records(connection))
        if name not in host.discovered and current_revision(connection, name) is not None
    ]


def _dependencies_first(sets: list[MigrationSet]) -> list[MigrationSet]:
    names = {one.name for one in sets}
    ordered: list[MigrationSet] = []
    waiting = list(sets)
    while waiting:
        done = {one.name for one in ordered}
        ready = next((one for one in waiting if not (set(one.requires) & names) - done), waiting[0])
        ordered.append(ready)
        waiting.remove(ready)
    return ordered


def _records(connection: Any) -> dict[str, tuple[str, ...]]:
    if current_revision(connection, "core") is None:
        return {}
    rows = connection.execute(select(PluginRecord.name, PluginRecord.requires))
    return {row.name: tuple(row.requires) for row in rows}


def _chosen(only: str | None) -> list[MigrationSet]:
    sets = _all_sets()
    if only is None:
        return sets
    wanted = {"core", _named(only).name}
    for one in reversed(sets):  # whoever requires comes after what it requires
        if one.name in wanted:
            wanted.update(one.requires)
    return [one for one in sets if one.name in wanted]


def _named(name: str) -> MigrationSet:
    for one in _all_sets():
        if one.name == name:
            return one
    raise click.ClickException(f"there is no set {name}; there are {', '.join(one.name for one in _all_sets())}")


def _connection() -> Any:
    try:
        return db.engine.connect()
    except OperationalError as error:
        raise click.ClickException(f"PostgreSQL does not answer: {error.orig}") from error


def _record(sets: list[MigrationSet], revisions: Mapping[str, str | None]) -> None:
    """Keeps what later commands need of a plugin that may be off or gone by then. `revisions`: set -> what it is at.

    What only the code can tell (tables, answers, personal data) is kept as it was when the plugin is not loaded now.
    """
    host: PluginHost = current_app.extensions["jiki.host"]
    with unit_of_work() as uow:
        for one in sets:
            if one.name == "core" or one.name not in host.discovered:
                continue
            values: dict[str, Any] = {
                "version": host.discovered[one.name].version,
                "package": one.package,
                "requires": list(one.requires),
                "head": revisions[one.name],
                "updated_at": func.now(),
            }
            loaded = host.loaded.get(one.name)
            if loaded is not None:
                values["tables"] = sorted(
                    table.name for table in Model.metadata.tables.values() if table.schema == one.name
                )
                values["personal_data"] = stored_form(loaded.contributions.models, loaded.contributions.personal_data)
                values["provides"] = [each.contract.stored_name() for each in loaded.contributions.providers]
            uow.session.execute(
                insert(PluginRecord)
                .values(name=one.name, **values)
                .on_conflict_do_update(index_elements=[PluginRecord.name], set_=values)
            )
