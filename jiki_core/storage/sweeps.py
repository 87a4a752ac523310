"""The nightly sweep of files: expired tickets, files of records that are gone, and objects that no row names.

Objects are put before their rows and deleted after them; what a crash leaves between the two is found here, by age.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Boolean, delete, func, literal_column, select, text

from jiki_core.db import reading, release_connection, unit_of_work
from jiki_core.jobs import Job, JobRun, Schedule
from jiki_core.observability import get_logger
from jiki_core.runtime import runtime
from jiki_core.storage.attachments import drop_blobs
from jiki_core.storage.models import Attachment, Blob, UploadTicket
from jiki_core.storage.service import PUBLIC, UPLOADS, StorageService, StoredObject
from jiki_core.storage.storage import storage

log = get_logger(__name__)
BATCH = 500
_BLOBS = ("blobs/", f"{PUBLIC}blobs/")


def sweep_files(run: JobRun) -> dict[str, int]:
    """Job: everything below, in the order in which one step makes work for the next."""
    swept = {
        "tickets": _sweep_tickets(),
        "attachments": _sweep_attachments(),
        "blobs": _sweep_blobs(),
    }
    run.keep(**swept)  # also finds out whether the job is still ours
    swept["objects"] = sum(_sweep_objects(run, place) for place in storage().all())
    if any(swept.values()):
        log.info("files_swept", **swept)
    return swept


def _sweep_tickets() -> int:
    """Expired ones; the objects that came by them are nobody's then."""
    swept = 0
    while True:
        expired = select(UploadTicket.id).where(UploadTicket.expires_at < func.now()).limit(BATCH)
        with unit_of_work() as uow:
            gone = uow.session.scalars(
                delete(UploadTicket).where(UploadTicket.id.in_(expired)).returning(UploadTicket.id)
            ).all()
        swept += len(gone)
        if len(gone) < BATCH:
            return swept


def _sweep_attachments() -> int:
    """Those whose record is gone, or its whole table with its plugin. A plugin that is only off keeps its files."""
    types = reading().scalars(select(Attachment.record_type).distinct()).all()
    return sum(_sweep_attachments_of(record_type) for record_type in types)


def _sweep_attachments_of(record_type: str) -> int:
    schema, _, table = record_type.partition(".")
    key = reading().execute(_PRIMARY_KEY, {"name": f'"{schema}"."{table}"'}).one_or_none()
    condition = Attachment.record_type == record_type
    if key is not None:
        is_gone = (  # names are the catalogue's own
            f'not exists (select 1 from "{schema}"."{table}" as record '
            f'where record."{key.attname}" = cast(core.attachments.record_id as {key.type}))'
        )
        condition = condition & literal_column(is_gone, Boolean)
    swept = 0
    while True:
        orphans = select(Attachment.id).where(condition).limit(BATCH)
        with unit_of_work() as uow:
            blobs = uow.session.scalars(
                delete(Attachment).where(Attachment.id.in_(orphans)).returning(Attachment.blob_id)
            ).all()
            drop_blobs(uow, blobs)
        swept += len(blobs)
        if len(blobs) < BATCH:
            return swept


_PRIMARY_KEY = text(
    "select a.attname, format_type(a.atttypid, a.atttypmod) as type from pg_index i "
    "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] "
    "where i.indrelid = to_regclass(:name) and i.indisprimary"
)


def _sweep_blobs() -> int:
    """Those that nothing is attached to, such as after a plugin's tables were purged."""
    swept = 0
    while True:
        held = select(Attachment.blob_id).where(Attachment.blob_id == Blob.id).exists()
        with unit_of_work() as uow:
            ids = uow.session.scalars(select(Blob.id).where(~held, Blob.created_at < _old_enough()).limit(BATCH)).all()
            dropped = drop_blobs(uow, ids)
        swept += dropped
        if dropped < BATCH:
            return swept


def _sweep_objects(run: JobRun, place: StorageService) -> int:
    """Objects that are old enough and that neither a blob nor a ticket names."""
    swept = 0
    for prefix in (*_BLOBS, UPLOADS):
        oldest = _old_enough()
        aged = (found for found in place.list(prefix) if found.modified_at < oldest)
        for batch in _batches(aged):
            named = _named_keys(place.name, [found.key for found in batch])
            release_connection()
            for found in batch:
                if found.key not in named:
                    place.delete(found.key)
                    swept += 1
            run.keep(objects=swept)
    place.tidy()
    return swept


def _named_keys(service: str, keys: Sequence[str]) -> set[str]:
    named = set(reading().scalars(select(Blob.key).where(Blob.service == service, Blob.key.in_(keys))))
    tickets = {key: ticket for key in keys if (ticket := _ticket_of(key)) is not None}
    if tickets:
        open_ones = set(reading().scalars(select(UploadTicket.id).where(UploadTicket.id.in_(tickets.values()))))
        named |= {key for key, ticket in tickets.items() if ticket in open_ones}
    return named


def _ticket_of(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key.removeprefix(UPLOADS)) if key.startswith(UPLOADS) else None
    except ValueError:
        return None


def _old_enough() -> datetime:
    """A write that takes longer than this to be settled does not exist."""
    return datetime.now(UTC) - timedelta(hours=runtime().settings.storage_orphan_hours)


def _batches(found: Iterator[StoredObject]) -> Iterator[list[StoredObject]]:
    batch: list[StoredObject] = []
    for one in found:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


SWEEP_FILES = Job(sweep_files, queue="heavy", unique=True, timeout_seconds=3_600, schedule=Schedule("27 2 * * *"))
