"""Tickets for direct uploads: the browser may put one file, of this size, type and checksum, for a while."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select

from jiki_core.db import UnitOfWork, uuid7
from jiki_core.errors import Forbidden
from jiki_core.runtime import runtime
from jiki_core.security import Identity
from jiki_core.storage.content_types import type_of_name
from jiki_core.storage.errors import FileEmpty, FileTooLarge, FileTypeRefused, TooManyUploads, UnknownFileKind
from jiki_core.storage.inspection import clean_filename
from jiki_core.storage.models import UploadTicket
from jiki_core.storage.service import UPLOADS, UploadTarget
from jiki_core.storage.storage import kind_named, storage

#: of one user at a time, used ones not counted
MAX_OPEN_TICKETS = 20


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    """What the uploader is told."""

    id: uuid.UUID
    target: UploadTarget
    expires_at: datetime


def issue_ticket(
    uow: UnitOfWork, identity: Identity, *, kind: str, filename: str, byte_size: int, sha256: bytes
) -> IssuedTicket:
    """Allows one upload. What the file really is, is looked at when it is attached.

    Raises UnknownFileKind, Forbidden, FileTypeRefused, FileEmpty, FileTooLarge, TooManyUploads.
    """
    declared = kind_named(kind)
    if not declared.is_direct:
        raise UnknownFileKind(kind=kind)
    if declared.permission is not None and not runtime().authorize(identity, declared.permission, None):
        raise Forbidden()
    name = clean_filename(filename)
    told = type_of_name(name)
    if told is None or told.name not in declared.content_types:
        raise FileTypeRefused(allowed=list(declared.content_types))
    if byte_size == 0:
        raise FileEmpty()
    if byte_size > declared.max_bytes:
        raise FileTooLarge(filename=name, max_bytes=declared.max_bytes)
    _refuse_hoarding(uow, identity.user_id)
    seconds = runtime().settings.upload_ticket_seconds
    place = storage().current
    ticket_id, expires_at = uuid7(), uow.now + timedelta(seconds=seconds)
    uow.session.execute(
        insert(UploadTicket).values(
            id=ticket_id,
            user_id=identity.user_id,
            service=place.name,
            kind=kind,
            filename=name,
            content_type=told.name,
            byte_size=byte_size,
            sha256=sha256,
            created_at=uow.now,
            expires_at=expires_at,
        )
    )
    target = place.signed_upload(
        f"{UPLOADS}{ticket_id}",
        expires_in_seconds=seconds,
        byte_size=byte_size,
        sha256=sha256,
        content_type=told.name,
    )
    return IssuedTicket(ticket_id, target, expires_at)


def _refuse_hoarding(uow: UnitOfWork, user_id: int) -> None:
    is_open = (UploadTicket.user_id == user_id) & (UploadTicket.expires_at > uow.now)
    count, first = uow.session.execute(
        select(func.count(), func.min(UploadTicket.expires_at)).select_from(UploadTicket).where(is_open)
    ).one()
    if count >= MAX_OPEN_TICKETS:
        seconds = max(1, int((first - uow.now).total_seconds()))
        raise TooManyUploads(retry_after_seconds=seconds, max=MAX_OPEN_TICKETS)
