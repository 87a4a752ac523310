"""Files of records: attaching what was staged, in the transaction of the record, and finding it again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Table, delete, insert, select

from jiki_core.db import Model, UnitOfWork, reading
from jiki_core.runtime import runtime
from jiki_core.storage.deletion import delete_objects
from jiki_core.storage.errors import UploadNotFound
from jiki_core.storage.inspection import is_drawn
from jiki_core.storage.models import Attachment, Blob, UploadTicket
from jiki_core.storage.service import UPLOADS
from jiki_core.storage.staging import StagedFile
from jiki_core.storage.storage import storage

#: deletions that one job does
_KEYS_PER_JOB = 100
_PAGE = 500
RecordId = TypeVar("RecordId", int, str, uuid.UUID)


_FACTS = ("id", "service", "key", "kind", "filename", "content_type", "byte_size", "sha256", "width", "height")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is attached to something."""

    id: uuid.UUID
    service: str
    key: str
    #: "<plugin>.<kind>"
    kind: str
    filename: str
    content_type: str
    byte_size: int
    sha256: bytes
    width: int | None
    height: int | None
    created_at: datetime
    #: what it is to its record
    name: str

    @property
    def public_url(self) -> str:
        """Absolute and the same for as long as the file is. Raises ValueError when the kind is not public."""
        return storage().named(self.service).public_url(self.key)

    def download_url(self, *, expires_in_seconds: int | None = None) -> str:
        """A link for whoever may read it now; images that browsers draw are shown, everything else is saved."""
        return (
            storage()
            .named(self.service)
            .signed_url(
                self.key,
                expires_in_seconds=expires_in_seconds or runtime().settings.storage_link_seconds,
                filename=self.filename,
                content_type=self.content_type,
                inline=is_drawn(self.content_type),
            )
        )


def attach(uow: UnitOfWork, staged: StagedFile, record: type[Model], record_id: RecordId, *, name: str) -> StoredFile:
    """Makes a staged file a file of a record; `name` says what it is to it, such as "avatar".

    Raises UploadNotFound when the ticket that it came by has been used meanwhile.
    """
    if staged.upload_id is not None:
        _use_ticket(uow, staged)
    facts = _facts_of(staged)
    uow.session.execute(insert(Blob).values(**facts, user_id=staged.user_id, created_at=uow.now))
    uow.session.execute(
        insert(Attachment).values(
            record_type=record_type(record),
            record_id=str(record_id),
            name=name,
            blob_id=staged.id,
            created_at=uow.now,
        )
    )
    return StoredFile(**facts, created_at=uow.now, name=name)


def replace_attachment(
    uow: UnitOfWork, staged: StagedFile, record: type[Model], record_id: RecordId, *, name: str
) -> StoredFile:
    """`attach`, and what the record had under that name goes. The caller holds the record's row."""
    detach(uow, record, record_id, name=name)
    return attach(uow, staged, record, record_id, name=name)


def detach(
    uow: UnitOfWork,
    record: type[Model],
    record_id: RecordId,
    *,
    name: str | None = None,
    file_id: uuid.UUID | None = None,
) -> int:
    """Takes files off a record: those of a name, one of them, or all; returns how many. Objects go by a job, after the commit."""
    wanted = [Attachment.record_type == record_type(record), Attachment.record_id == str(record_id)]
    if name is not None:
        wanted.append(Attachment.name == name)
    if file_id is not None:
        wanted.append(Attachment.blob_id == file_id)
    taken_off = uow.session.scalars(delete(Attachment).where(*wanted).returning(Attachment.blob_id)).all()
    drop_blobs(uow, taken_off)
    return len(taken_off)


def drop_blobs(uow: UnitOfWork, ids: Sequence[uuid.UUID]) -> int:
    """Deletes blobs that nothing is attached to any more, with their objects; returns how many."""
    if not ids:
        return 0
    held = select(Attachment.blob_id).where(Attachment.blob_id == Blob.id).exists()
    gone = uow.session.execute(delete(Blob).where(Blob.id.in_(ids), ~held).returning(Blob.service, Blob.key)).all()
    forget_objects(uow, [(row.service, row.key) for row in gone])
    return len(gone)


def forget_files_of(uow: UnitOfWork, user_id: int) -> int:
    """Erases a person's files and unused tickets, wherever they are attached; returns how many rows went."""
    files = uow.session.execute(delete(Blob).where(Blob.user_id == user_id).returning(Blob.service, Blob.key)).all()
    tickets = uow.session.execute(
        delete(UploadTicket).where(UploadTicket.user_id == user_id).returning(UploadTicket.service, UploadTicket.id)
    ).all()
    forget_objects(
        uow, [*((row.service, row.key) for row in files), *((row.service, f"{UPLOADS}{row.id}") for row in tickets)]
    )
    return len(files) + len(tickets)


def forget_objects(uow: UnitOfWork, objects: Sequence[tuple[str, str]]) -> None:
    """Asks for the deletion of (service, key) after the commit."""
    for service in sorted({service for service, _ in objects}):
        keys = [key for one, key in objects if one == service]
        for start in range(0, len(keys), _KEYS_PER_JOB):
            uow.enqueue(delete_objects, service=service, keys=keys[start : start + _KEYS_PER_JOB])


def attached(
    record: type[Model], record_ids: Sequence[RecordId], *, name: str | None = None
) -> Mapping[RecordId, list[StoredFile]]:
    """Files of many records, in the order in which they were attached; one query. Every id is a key of the answer."""
    found: dict[RecordId, list[StoredFile]] = {record_id: [] for record_id in record_ids}
    by_text = {str(record_id): record_id for record_id in record_ids}
    statement = (
        select(Attachment.record_id, Attachment.name, Blob)
        .join(Blob, Blob.id == Attachment.blob_id)
        .where(Attachment.record_type == record_type(record), Attachment.record_id.in_(by_text))
        .order_by(Attachment.id)
    )
    if name is not None:
        statement = statement.where(Attachment.name == name)
    for row in reading().execute(statement) if record_ids else ():
        found[by_text[row.record_id]].append(_stored(row.Blob, row.name))
    return found


def every_blob(*, user_id: int | None = None) -> Iterator[Blob]:
    """Every kept file, or those of one person, in the order of their ids; read in pages."""
    last = uuid.UUID(int=0)
    while True:
        page = select(Blob).where(Blob.id > last).order_by(Blob.id).limit(_PAGE)
        if user_id is not None:
            page = page.where(Blob.user_id == user_id)
        blobs = reading().scalars(page.execution_options(populate_existing=True)).all()
        yield from blobs
        if len(blobs) < _PAGE:
            return
        last = blobs[-1].id


def record_type(record: type[Model]) -> str:
    """A record's table as attachments name it, such as "learning.submissions". Raises ValueError for a composite key."""
    table: Any = record.__table__
    assert isinstance(table, Table)
    if len(table.primary_key.columns) != 1:
        raise ValueError(f"{table.fullname} has no primary key of one column, which attachments name records by")
    return table.fullname


def _use_ticket(uow: UnitOfWork, staged: StagedFile) -> None:
    used = uow.session.execute(
        delete(UploadTicket)
        .where(UploadTicket.id == staged.upload_id, UploadTicket.expires_at > uow.now)
        .returning(UploadTicket.id)
    ).scalar_one_or_none()
    if used is None:
        raise UploadNotFound()
    forget_objects(uow, [(staged.service, f"{UPLOADS}{staged.upload_id}")])


def _facts_of(kept: StagedFile | Blob) -> dict[str, Any]:
    """What a file has from the moment it is staged."""
    return {name: getattr(kept, name) for name in _FACTS}


def _stored(blob: Blob, name: str) -> StoredFile:
    return StoredFile(**_facts_of(blob), created_at=blob.created_at, name=name)
