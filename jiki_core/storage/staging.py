"""Staging: a file is checked and its object kept before any row speaks of it.

Call these outside a unit of work; `attach` settles in one. What is staged and never attached is an orphan, which the
nightly sweep deletes.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import func, select

from jiki_core.db import reading, refuse_inside_unit, release_connection, uuid7
from jiki_core.errors import NO_ROOM, StorageFull
from jiki_core.observability import counter, get_logger
from jiki_core.storage.content_types import KNOWN
from jiki_core.storage.errors import (
    ChecksumMismatch,
    FileMissing,
    FileRefused,
    SizeMismatch,
    StorageUnavailable,
    UploadIncomplete,
    UploadNotFound,
)
from jiki_core.storage.inspection import Inspected, inspect_file
from jiki_core.storage.kinds import FileKind
from jiki_core.storage.models import UploadTicket
from jiki_core.storage.service import IMMUTABLE, PUBLIC, UPLOADS, StorageService
from jiki_core.storage.storage import kind_named, storage

log = get_logger(__name__)
_stored = counter("jiki_files_stored_total", "Files that were checked and kept", ["kind"])
_refused = counter("jiki_files_refused_total", "Files that were not", ["kind", "symbol"])
#: larger files wait on the disk while they are looked at
_IN_MEMORY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A checked file whose object is kept and that no row names yet."""

    id: uuid.UUID
    service: str
    key: str
    kind: str
    user_id: int | None
    filename: str
    content_type: str
    byte_size: int
    sha256: bytes
    width: int | None
    height: int | None
    #: the ticket that it came by, if any
    upload_id: uuid.UUID | None = None


def store(kind: str, body: bytes | BinaryIO, *, filename: str, user_id: int | None = None) -> StagedFile:
    """Checks a file that we have here, and keeps its object. `user_id` says whose personal data it is.

    Raises FileRefused for the file, UnknownFileKind, StorageUnavailable, StorageFull, UnitOfWorkMisuse inside a unit.
    """
    refuse_inside_unit("storing a file")
    declared = kind_named(kind)
    stream: BinaryIO = io.BytesIO(body) if isinstance(body, bytes) else body
    with _counted(kind):
        found = inspect_file(stream, filename=filename, kind=declared)
        place = storage().current
        staged = _staged(place, kind, declared, found, user_id=user_id)
        place.put(staged.key, stream, content_type=staged.content_type, cache_control=_cache_rule(declared))
    return staged


def take_upload(upload_id: uuid.UUID | str, *, kind: str, user_id: int) -> StagedFile:
    """Checks a direct upload of the user against its ticket: size, checksum, type by its bytes.

    The object is copied out of the uploader's reach first, so that what was checked is what is kept. Raises
    UploadNotFound (not theirs, of another kind, used, expired), UploadIncomplete, and what `store` raises.
    """
    refuse_inside_unit("taking an upload")
    declared = kind_named(kind)
    try:
        wanted = upload_id if isinstance(upload_id, uuid.UUID) else uuid.UUID(upload_id)
    except ValueError:
        raise UploadNotFound() from None
    ticket = (
        reading()
        .scalars(
            select(UploadTicket).where(
                UploadTicket.id == wanted,
                UploadTicket.user_id == user_id,
                UploadTicket.kind == kind,
                UploadTicket.expires_at > func.now(),
            )
        )
        .one_or_none()
    )
    if ticket is None:
        raise UploadNotFound()
    release_connection()
    with _counted(kind):
        return _taken(ticket, declared)


def _taken(ticket: UploadTicket, declared: FileKind) -> StagedFile:
    place = storage().named(ticket.service)
    arrived = place.stat(f"{UPLOADS}{ticket.id}")
    if arrived is None:
        raise UploadIncomplete()
    if arrived.byte_size != ticket.byte_size:
        raise SizeMismatch(byte_size=ticket.byte_size)
    blob_id = uuid7()
    key = _key_of(blob_id, declared, ticket.content_type)
    try:
        place.copy(arrived.key, key, content_type=ticket.content_type, cache_control=_cache_rule(declared))
        found = _inspected(place, key, ticket, declared)
    except FileMissing:
        raise UploadIncomplete() from None
    except Exception:
        _discard(place, key)
        raise
    owner_id = ticket.user_id if declared.is_personal else None
    return _staged(place, ticket.kind, declared, found, user_id=owner_id, blob_id=blob_id, upload_id=ticket.id)


@contextlib.contextmanager
def _counted(kind: str) -> Iterator[None]:
    """Counts what becomes of a file of a kind."""
    try:
        yield
    except (FileRefused, StorageUnavailable, StorageFull) as refusal:
        _refused.labels(kind, refusal.symbol).inc()
        raise
    _stored.labels(kind).inc()


def discard(staged: StagedFile) -> None:
    """Removes what was staged and will not be attached; best effort, the sweep finds what stays."""
    refuse_inside_unit("discarding a file")
    _discard(storage().named(staged.service), staged.key)


def _discard(place: StorageService, key: str) -> None:
    try:
        place.delete(key)
    except StorageUnavailable:
        log.info("staged_file_left_for_the_sweep", key=key)


def _inspected(place: StorageService, key: str, ticket: UploadTicket, declared: FileKind) -> Inspected:
    try:
        with contextlib.closing(place.open(key)) as source, tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
            shutil.copyfileobj(source, file, 1 << 20)
            found = inspect_file(file, filename=ticket.filename, kind=declared)  # type: ignore[arg-type]  # a spooled file is a binary file in all but its type
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull() from error
        raise
    if found.byte_size != ticket.byte_size:
        raise SizeMismatch(byte_size=ticket.byte_size)
    if found.sha256 != ticket.sha256:
        raise ChecksumMismatch()
    return found


def _staged(
    place: StorageService,
    kind: str,
    declared: FileKind,
    found: Inspected,
    *,
    user_id: int | None,
    blob_id: uuid.UUID | None = None,
    upload_id: uuid.UUID | None = None,
) -> StagedFile:
    own_id = blob_id or uuid7()
    return StagedFile(
        id=own_id,
        service=place.name,
        key=_key_of(own_id, declared, found.content_type),
        kind=kind,
        user_id=user_id,
        filename=found.filename,
        content_type=found.content_type,
        byte_size=found.byte_size,
        sha256=found.sha256,
        width=found.width,
        height=found.height,
        upload_id=upload_id,
    )


def _key_of(blob_id: uuid.UUID, kind: FileKind, content_type: str) -> str:
    """An uploader's name is never part of it (trust.md 1.5)."""
    if kind.is_public:
        return f"{PUBLIC}blobs/{blob_id}{KNOWN[content_type].extension}"
    return f"blobs/{blob_id}"


def _cache_rule(kind: FileKind) -> str:
    return IMMUTABLE if kind.is_public else ""
