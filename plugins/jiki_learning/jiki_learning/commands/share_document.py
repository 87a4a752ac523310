"""What is written in a collaboration: updates are appended, counted, compacted, and passed on to the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_learning.errors import CollaborationMoved, DocumentNotFound, DocumentTooLarge
from jiki_learning.models import Collaboration, CollaborationDocument, CollaborationUpdate, CollaborationVersion
from jiki_learning.queries.collaborations import Access, updates_of
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.shared_text import (
    SyncKind,
    SyncMessage,
    adds_nothing,
    changes_nothing,
    check_update,
    compact,
    new_document,
    only_deletes,
    text_of,
)
from jiki_learning.submission_rules import sanitise

#: rows of a document after which they become one
COMPACT_AFTER_UPDATES = 100
#: deletions are taken beyond a document's limit, so that a full one can be made smaller; its state must still fit a message
ROOM_FOR_DELETIONS = 1.2
#: a version of what is being edited is kept this often, at a compaction
VERSION_EVERY = timedelta(minutes=5)
#: older ones go, but for those that were submitted
VERSIONS_KEPT = 50


class VersionReason(StrEnum):
    """Why a text was kept (stored)."""

    BEGAN = "began"
    EDITED = "edited"
    SUBMITTED = "submitted"
    ENDED = "ended"


def begin_documents(uow: UnitOfWork, collaboration_id: int, texts: Mapping[str, str]) -> None:
    """A document for each file, with its first text. Raises DocumentTooLarge."""
    limit = learning_settings().collaboration_document_bytes
    for filename, content in texts.items():
        first = new_document(content)
        if len(first) > limit:
            raise DocumentTooLarge(filename, limit)
        document_id = uow.session.execute(
            insert(CollaborationDocument)
            .values(
                collaboration_id=collaboration_id,
                filename=filename,
                byte_count=len(first),
                update_count=1,
                changed_at=uow.now,
            )
            .returning(CollaborationDocument.id)
        ).scalar_one()
        uow.session.execute(insert(CollaborationUpdate).values(document_id=document_id, content=first))
        _keep_version(uow, document_id, content, VersionReason.BEGAN)


def append_update(uow: UnitOfWork, access: Access, filename: str, message: SyncMessage) -> None:
    """Stores a participant's update (STEP2, UPDATE) and passes it on; one that repeats what is known does no harm.

    Raises CollaborationEnded, CollaborationReadOnly, CollaborationMoved, InvalidUpdate, DocumentNotFound,
    DocumentTooLarge.
    """
    content = message.payload
    if changes_nothing(content):
        return
    access.require_open()
    access.require_editor()
    check_update(content)
    if message.kind is SyncKind.STEP2 and adds_nothing(content, updates_of(access, filename)):
        return
    # Who removes somebody waits for this unit, or this unit for them: nothing is said on a stream that is over.
    generation = uow.session.execute(
        select(Collaboration.generation).where(Collaboration.id == access.collaboration_id).with_for_update(read=True)
    ).scalar_one()
    if generation != access.generation:
        raise CollaborationMoved()
    # The row's lock makes appends of one document queue, for the length of this short unit.
    document = uow.session.execute(
        update(CollaborationDocument)
        .where(
            CollaborationDocument.collaboration_id == access.collaboration_id,
            CollaborationDocument.filename == filename,
        )
        .values(
            byte_count=CollaborationDocument.byte_count + len(content),
            update_count=CollaborationDocument.update_count + 1,
            changed_at=uow.now,
        )
        .returning(CollaborationDocument.id, CollaborationDocument.byte_count, CollaborationDocument.update_count)
    ).one_or_none()
    if document is None:
        raise DocumentNotFound()
    uow.session.execute(insert(CollaborationUpdate).values(document_id=document.id, content=content))
    limit = learning_settings().collaboration_document_bytes
    size = document.byte_count
    if document.update_count >= COMPACT_AFTER_UPDATES or size > limit:
        compacted = compact_document(uow, document.id)
        size = len(compacted)
        _keep_version_now_and_then(uow, document.id, text_of([compacted]))
    allowed = int(limit * ROOM_FOR_DELETIONS) if only_deletes(content) else limit
    if size > allowed:
        raise DocumentTooLarge(filename, limit)
    uow.broadcast(
        access.stream,
        {
            "type": "sync",
            "filename": filename,
            "message": SyncMessage(SyncKind.UPDATE, content).encode(),
            "participant_id": access.participant_id,
        },
        durable=True,
        at_once=True,
    )


def compact_document(uow: UnitOfWork, document_id: int) -> bytes:
    """Puts one row in the place of all and returns what it holds. The caller holds the document's lock."""
    rows = uow.session.execute(
        select(CollaborationUpdate.id, CollaborationUpdate.content)
        .where(CollaborationUpdate.document_id == document_id)
        .order_by(CollaborationUpdate.id)
    ).all()
    compacted = compact([row.content for row in rows])
    uow.session.execute(delete(CollaborationUpdate).where(CollaborationUpdate.id.in_([row.id for row in rows])))
    uow.session.execute(insert(CollaborationUpdate).values(document_id=document_id, content=compacted))
    uow.session.execute(
        update(CollaborationDocument)
        .where(CollaborationDocument.id == document_id)
        .values(byte_count=len(compacted), update_count=1)
    )
    return compacted


def keep_versions(uow: UnitOfWork, collaboration_id: int, reason: VersionReason) -> dict[str, str]:
    """Compacts every document and keeps its text; returns filename -> text."""
    documents = uow.session.execute(
        select(CollaborationDocument.id, CollaborationDocument.filename)
        .where(CollaborationDocument.collaboration_id == collaboration_id)
        .order_by(CollaborationDocument.id)
        .with_for_update()
    ).all()
    texts: dict[str, str] = {}
    for document in documents:
        content = sanitise(text_of([compact_document(uow, document.id)]))
        _keep_version(uow, document.id, content, reason)
        texts[document.filename] = content
    return texts


def _keep_version_now_and_then(uow: UnitOfWork, document_id: int, content: str) -> None:
    newest = uow.session.execute(
        select(func.max(CollaborationVersion.saved_at)).where(CollaborationVersion.document_id == document_id)
    ).scalar_one()
    if newest is None or uow.now - newest >= VERSION_EVERY:
        _keep_version(uow, document_id, sanitise(content), VersionReason.EDITED)


def _keep_version(uow: UnitOfWork, document_id: int, content: str, reason: VersionReason) -> None:
    uow.session.execute(
        insert(CollaborationVersion).values(document_id=document_id, content=content, reason=reason, saved_at=uow.now)
    )
    uow.session.execute(
        text("""
            delete from learning.collaboration_versions where id in (
                select id from learning.collaboration_versions
                where document_id = :document_id and reason = 'edited' order by id desc offset :kept
            )
        """),
        {"document_id": document_id, "kept": VERSIONS_KEPT},
    )
