"""Telling plugins what a deploy changed, once, under a lock, and remembering that it was told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import db, reading, unit_of_work
from jiki_core.db.records import PluginRecord
from jiki_core.plugins.host import PluginHost
from jiki_core.plugins.lifecycle import CHANGE_LOCK, ChangeKind, PluginChange, changes_between
from jiki_core.plugins.personal_data import stored_form

Failure = tuple[PluginChange, str, Exception]


def apply_changes(host: PluginHost) -> tuple[list[PluginChange], list[Failure]]:
    """(changes told and remembered, what failed as (change, plugin, error)). A change that failed is told again next time.

    Raises SQLAlchemyError when PostgreSQL does not answer.
    """
    done: list[PluginChange] = []
    failed: list[Failure] = []
    with change_lock():
        for change in pending_changes(host):
            faults = host.tell_change(change)
            failed += [(change, plugin, error) for plugin, error in faults]
            if not faults:
                _remember(host, change)
                done.append(change)
    return done, failed


def pending_changes(host: PluginHost) -> list[PluginChange]:
    """What is different from what the last deploy was told."""
    rows = reading().execute(
        select(PluginRecord.name, PluginRecord.applied_version).where(PluginRecord.applied_version.is_not(None))
    )
    running = {name: host.discovered[name].version for name in host.loaded if host.is_up(name)}
    undecided = [one.name for one in host.statuses() if host.is_listed(one.name) and one.name not in running]
    return changes_between({row.name: row.applied_version for row in rows}, running, undecided)


@contextmanager
def change_lock() -> Iterator[None]:
    """Two deploys never tell the same change, and nobody purges meanwhile."""
    with db.engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": CHANGE_LOCK})
        connection.commit()
        try:
            yield
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": CHANGE_LOCK})
            connection.commit()


def _remember(host: PluginHost, change: PluginChange) -> None:
    with unit_of_work() as uow:
        if change.kind is ChangeKind.DISABLED:
            uow.session.execute(
                update(PluginRecord).where(PluginRecord.name == change.plugin).values(applied_version=None)
            )
        else:
            found = host.discovered[change.plugin]
            loaded = host.loaded[change.plugin]
            values = {
                "version": found.version,
                "package": found.package,
                "requires": host.requirements()[change.plugin],
                "personal_data": stored_form(loaded.contributions.models, loaded.contributions.personal_data),
                "provides": [one.contract.stored_name() for one in loaded.contributions.providers],
                "applied_version": change.after,
            }
            uow.session.execute(
                insert(PluginRecord)
                .values(name=change.plugin, **values)
                .on_conflict_do_update(index_elements=[PluginRecord.name], set_=values)
            )
        uow.audit(
            f"plugin:{change.kind}",
            target_type="plugin",
            target_id=change.plugin,
            before={"version": change.before},
            after={"version": change.after},
            plugin=change.plugin,
        )
