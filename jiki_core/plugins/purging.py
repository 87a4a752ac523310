"""Purging: a plugin's schema and everything the core keeps for it go, after an export. Works after its package is gone."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, delete, select, text
from sqlalchemy.orm import InstrumentedAttribute

from jiki_core.db import UnitOfWork
from jiki_core.db.migration_sets import current_revision, referring_schemas
from jiki_core.db.outbox import OutboxEntry
from jiki_core.db.records import MutedNotification, Notification, PluginRecord, SeedRecord
from jiki_core.jobs.schedules import ScheduleRow, ScheduleTick
from jiki_core.jobs.tracking import TrackingEvent
from jiki_core.plugins.runtime_state import PluginPause, PluginSuspension, announce_change
from jiki_core.storage.attachments import forget_objects
from jiki_core.storage.models import Attachment, Blob, UploadTicket
from jiki_core.storage.service import UPLOADS

#: columns of the core that hold "<plugin>.<something>"
_NAMED_FOR_PLUGINS: tuple[InstrumentedAttribute[str], ...] = (
    OutboxEntry.name,
    Notification.type,
    MutedNotification.type,
    TrackingEvent.name,
    SeedRecord.key,
    ScheduleRow.name,
    ScheduleTick.schedule,
    Attachment.record_type,
)


class PurgeRefused(Exception):
    """What stands in the way, and what to do about it."""


@dataclass(frozen=True)
class Leavings:
    """What a plugin has in the database."""

    plugin: str
    version: str
    head: str | None
    #: table -> rows
    tables: dict[str, int]


def leavings_of(connection: Connection, name: str) -> Leavings | None:
    """What is there of a plugin, from its record and its schema; None when there is nothing."""
    record = connection.execute(
        select(PluginRecord.version, PluginRecord.head).where(PluginRecord.name == name)
    ).one_or_none()
    revision = current_revision(connection, name)
    if record is None and revision is None:
        return None
    tables = connection.execute(
        text(
            "select tablename from pg_tables where schemaname = :schema and tablename <> 'alembic_version' order by 1"
        ),
        {"schema": name},
    ).scalars()
    counts = {
        table: connection.execute(
            text(f'select count(*) from "{name}"."{table}"')
        ).scalar_one()  # names from the catalogue
        for table in list(tables)
    }
    return Leavings(name, record.version if record else "?", revision, counts)


def refuse_purge(connection: Connection, name: str) -> None:
    """Raises PurgeRefused while anything else relies on the plugin's tables."""
    referring = referring_schemas(connection, name)
    if referring:
        raise PurgeRefused(f"tables of {', '.join(referring)} refer to {name}; purge those first")
    running = connection.execute(
        text(
            "select role || '@' || host || ':' || pid from core.processes "
            "where plugins ? :name and seen_at > now() - interval '20 seconds'"
        ),
        {"name": name},
    ).scalars()
    processes = list(running)
    if processes:
        raise PurgeRefused(f"{', '.join(processes)} still runs {name}; disable it and restart them first")


def export_tables(connection: Connection, left: Leavings, target: Path) -> None:
    """Writes every table as CSV into one zip file, with a manifest; an existing file is never overwritten."""
    raw: Any = connection.connection.driver_connection
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        manifest = {"plugin": left.plugin, "version": left.version, "revision": left.head, "rows": left.tables}
        archive.writestr("manifest.json", json.dumps(manifest, indent=2))
        for table in left.tables:
            statement = sql.SQL("copy {} to stdout with (format csv, header)").format(
                sql.Identifier(left.plugin, table)
            )
            with archive.open(f"{table}.csv", "w") as file, raw.cursor() as cursor, cursor.copy(statement) as copied:
                for chunk in copied:
                    file.write(bytes(chunk))


def purge(uow: UnitOfWork, name: str, *, reason: str) -> None:
    """Drops the schema and what the core keeps under the plugin's name, in one transaction. Raises PurgeRefused."""
    refuse_purge(uow.session.connection(), name)
    uow.session.execute(text(f'drop schema if exists "{name}" cascade'))
    own = f"{name}.".replace("_", r"\_") + "%"
    for column in _NAMED_FOR_PLUGINS:
        uow.session.execute(delete(column.class_).where(column.like(own)))
    _drop_files(uow, own)
    uow.session.execute(
        delete(OutboxEntry).where(
            OutboxEntry.kind == "broadcast", OutboxEntry.payload["message"]["type"].astext.like(own)
        )
    )
    for table in (PluginPause, PluginSuspension):
        uow.session.execute(delete(table).where(table.plugin == name))
    uow.session.execute(delete(PluginRecord).where(PluginRecord.name == name))
    uow.audit("plugin:purged", target_type="plugin", target_id=name, reason=reason, plugin=name)
    announce_change(uow)


def _drop_files(uow: UnitOfWork, own: str) -> None:
    """Files of the plugin's kinds, and uploads that were to become some; the objects go after the commit."""
    blobs = delete(Blob).where(Blob.kind.like(own)).returning(Blob.service, Blob.key)
    tickets = delete(UploadTicket).where(UploadTicket.kind.like(own)).returning(UploadTicket.service, UploadTicket.id)
    objects = [(row.service, row.key) for row in uow.session.execute(blobs)]
    objects += [(row.service, f"{UPLOADS}{row.id}") for row in uow.session.execute(tickets)]
    forget_objects(uow, objects)
