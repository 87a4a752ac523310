"""Who may do what in a collaboration, what its documents hold, and the shapes that routes answer with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, select

from jiki_core.contracts import Accounts, ask
from jiki_core.db import reading
from jiki_core.errors import NotFound
from jiki_core.http import timestamp
from jiki_learning.errors import (
    CollaborationEnded,
    CollaborationNotFound,
    CollaborationOwnerOnly,
    CollaborationReadOnly,
    DocumentNotFound,
)
from jiki_learning.models import (
    Collaboration,
    CollaborationDocument,
    CollaborationParticipant,
    CollaborationUpdate,
    CollaborationVersion,
    Lesson,
)
from jiki_learning.shared_text import text_of


class CollaborationRole(StrEnum):
    EDIT = "edit"
    VIEW = "view"


@dataclass(frozen=True, slots=True)
class Access:
    """A participant's standing in a collaboration, read afresh for every act."""

    collaboration_id: int
    uuid: uuid.UUID
    owner_id: int
    lesson_slug: str
    generation: int
    created_at: datetime
    ended_at: datetime | None
    participant_id: int
    user_id: int
    role: CollaborationRole

    @property
    def stream(self) -> str:
        """Where updates are sent. Whoever was removed listens to the stream of an earlier generation."""
        return f"collaboration/{self.uuid}/{self.generation}"

    @property
    def is_owner(self) -> bool:
        return self.user_id == self.owner_id

    def require_open(self) -> None:
        """Raises CollaborationEnded."""
        if self.ended_at is not None:
            raise CollaborationEnded()

    def require_editor(self) -> None:
        """Raises CollaborationReadOnly."""
        if self.role is not CollaborationRole.EDIT:
            raise CollaborationReadOnly()

    def require_owner(self) -> None:
        """Raises CollaborationOwnerOnly."""
        if not self.is_owner:
            raise CollaborationOwnerOnly()


def access_collaboration(user_id: int, identifier: str) -> Access:
    """`identifier` is its uuid. Raises CollaborationNotFound, also for somebody who was removed."""
    try:
        wanted = uuid.UUID(identifier)
    except ValueError:
        raise CollaborationNotFound() from None
    row = reading().execute(_standing(user_id).where(Collaboration.uuid == wanted)).one_or_none()
    if row is None:
        raise CollaborationNotFound()
    return _access(row)


def _standing(user_id: int) -> Select[*tuple[Any, ...]]:
    """What `_access` takes, of every collaboration that a learner takes part in."""
    return (
        select(
            Collaboration.id.label("collaboration_id"),
            Collaboration.uuid,
            Collaboration.owner_id,
            Lesson.slug.label("lesson_slug"),
            Collaboration.generation,
            Collaboration.created_at,
            Collaboration.ended_at,
            CollaborationParticipant.id.label("participant_id"),
            CollaborationParticipant.user_id,
            CollaborationParticipant.role,
        )
        .join(CollaborationParticipant, CollaborationParticipant.collaboration_id == Collaboration.id)
        .join(Lesson, Lesson.id == Collaboration.lesson_id)
        .where(CollaborationParticipant.user_id == user_id, CollaborationParticipant.removed_at.is_(None))
    )


def _access(row: Row[*tuple[Any, ...]]) -> Access:
    return Access(**{**row._mapping, "role": CollaborationRole(row.role)})


def filenames_of(access: Access) -> list[str]:
    """Of its documents, in their order."""
    return list(
        reading().scalars(
            select(CollaborationDocument.filename)
            .where(CollaborationDocument.collaboration_id == access.collaboration_id)
            .order_by(CollaborationDocument.id)
        )
    )


def updates_of(access: Access, filename: str) -> list[bytes]:
    """A document's updates in the order of their arrival. Raises DocumentNotFound."""
    found = list(
        reading().scalars(
            select(CollaborationUpdate.content)
            .join(CollaborationDocument, CollaborationDocument.id == CollaborationUpdate.document_id)
            .where(
                CollaborationDocument.collaboration_id == access.collaboration_id,
                CollaborationDocument.filename == filename,
            )
            .order_by(CollaborationUpdate.id)
        )
    )
    if not found:
        raise DocumentNotFound()
    return found


def texts_of(access: Access) -> dict[str, str]:
    """Filename -> what the file holds now, in one statement."""
    updates: dict[str, list[bytes]] = {}
    rows = reading().execute(
        select(CollaborationDocument.filename, CollaborationUpdate.content)
        .join(CollaborationUpdate, CollaborationUpdate.document_id == CollaborationDocument.id)
        .where(CollaborationDocument.collaboration_id == access.collaboration_id)
        .order_by(CollaborationDocument.id, CollaborationUpdate.id)
    )
    for filename, content in rows:
        updates.setdefault(filename, []).append(content)
    return {filename: text_of(found) for filename, found in updates.items()}


def collaboration_shape(access: Access) -> dict[str, Any]:
    """With its participants and what its files hold: the truth behind CollaborationChannel."""
    documents = [{"filename": name, "content": content} for name, content in texts_of(access).items()]
    return {**_summary(access, _participants([access.collaboration_id])), "documents": documents}


def open_collaborations(user_id: int) -> list[dict[str, Any]]:
    """Those that a learner takes part in and that have not ended, newest first, without their files."""
    rows = reading().execute(
        _standing(user_id).where(Collaboration.ended_at.is_(None)).order_by(Collaboration.id.desc())
    )
    found = [_access(row) for row in rows]
    participants = _participants([one.collaboration_id for one in found])
    return [_summary(one, participants) for one in found]


def versions_of(access: Access) -> list[dict[str, Any]]:
    """What was kept of its files, newest first, without the texts."""
    rows = reading().execute(
        select(
            CollaborationVersion.id,
            CollaborationDocument.filename,
            CollaborationVersion.reason,
            CollaborationVersion.saved_at,
        )
        .join(CollaborationDocument, CollaborationDocument.id == CollaborationVersion.document_id)
        .where(CollaborationDocument.collaboration_id == access.collaboration_id)
        .order_by(CollaborationVersion.id.desc())
    )
    return [
        {"id": row.id, "filename": row.filename, "reason": row.reason, "saved_at": timestamp(row.saved_at)}
        for row in rows
    ]


def version_shape(access: Access, version_id: int) -> dict[str, Any]:
    """One of them with its text. Raises NotFound."""
    row = (
        reading()
        .execute(
            select(
                CollaborationVersion.id,
                CollaborationDocument.filename,
                CollaborationVersion.reason,
                CollaborationVersion.saved_at,
                CollaborationVersion.content,
            )
            .join(CollaborationDocument, CollaborationDocument.id == CollaborationVersion.document_id)
            .where(
                CollaborationDocument.collaboration_id == access.collaboration_id,
                CollaborationVersion.id == version_id,
            )
        )
        .one_or_none()
    )
    if row is None:
        raise NotFound()
    return {
        "id": row.id,
        "filename": row.filename,
        "reason": row.reason,
        "saved_at": timestamp(row.saved_at),
        "content": row.content,
    }


def _summary(access: Access, participants: Mapping[int, Mapping[int, Mapping[str, Any]]]) -> dict[str, Any]:
    return {
        "uuid": str(access.uuid),
        "lesson_slug": access.lesson_slug,
        "role": access.role,
        "is_owner": access.is_owner,
        "participants": [
            {**shown, "is_owner": user_id == access.owner_id, "is_you": user_id == access.user_id}
            for user_id, shown in participants[access.collaboration_id].items()
        ],
        "created_at": timestamp(access.created_at),
        "ended_at": timestamp(access.ended_at),
    }


def _participants(collaboration_ids: Sequence[int]) -> dict[int, dict[int, dict[str, Any]]]:
    """Collaboration -> user -> how they are shown, in the order in which they came; no address, no user's id."""
    rows = (
        reading()
        .execute(
            select(
                CollaborationParticipant.collaboration_id,
                CollaborationParticipant.id,
                CollaborationParticipant.user_id,
                CollaborationParticipant.role,
            )
            .where(
                CollaborationParticipant.collaboration_id.in_(collaboration_ids),
                CollaborationParticipant.removed_at.is_(None),
            )
            .order_by(CollaborationParticipant.id)
        )
        .all()
    )
    accounts = {one.id: one for one in ask(Accounts).get_many(sorted({row.user_id for row in rows}))}
    found: dict[int, dict[int, dict[str, Any]]] = {one: {} for one in collaboration_ids}
    for row in rows:
        account = accounts.get(row.user_id)
        found[row.collaboration_id][row.user_id] = {
            "id": row.id,
            "handle": account.handle if account else None,
            "name": account.name if account else None,
            "role": row.role,
        }
    return found
