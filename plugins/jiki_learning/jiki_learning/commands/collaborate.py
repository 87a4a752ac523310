"""Collaborations as such: beginning one, letting people in, sending them away, ending it. What is written in them is
`share_document`."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork, uuid7
from jiki_learning.commands.share_document import VersionReason, begin_documents, keep_versions
from jiki_learning.errors import (
    CollaborationFull,
    InvalidInvitation,
    InvalidSubmission,
    ParticipantNotFound,
    TooManyCollaborations,
    UserLessonNotFound,
)
from jiki_learning.models import Collaboration, CollaborationInvitation, CollaborationParticipant
from jiki_learning.queries.catalogue import find_lesson
from jiki_learning.queries.collaborations import Access, CollaborationRole, access_collaboration
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.queries.submissions import latest_files
from jiki_learning.queries.user_lessons import user_lesson_id
from jiki_learning.submission_rules import OfferedFile, check_submission


@dataclass(frozen=True, slots=True)
class Invitation:
    """`secret` is told once and not kept."""

    uuid: uuid.UUID
    secret: str
    role: CollaborationRole
    expires_at: datetime


def begin_collaboration(
    uow: UnitOfWork, owner_id: int, lesson_slug: str, offered: Sequence[OfferedFile] | None
) -> Access:
    """Opens a collaboration on a lesson that its owner has started, with these files, or those of the latest submission.

    Raises LessonNotFound, UserLessonNotFound, TooManyCollaborations, and what `check_submission` raises of the files.
    """
    lesson = find_lesson(lesson_slug)
    if user_lesson_id(owner_id, lesson.id) is None:
        raise UserLessonNotFound()
    if offered is None:
        offered = [OfferedFile(filename, content) for filename, content in latest_files(owner_id, lesson)]
        if not offered:
            raise InvalidSubmission(reason="no_files")
    files = check_submission(offered).files
    maximum = learning_settings().collaborations_per_learner
    # Two that begin at once would each find room: they queue for it here.
    uow.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"collaborations/{owner_id}", 0))))
    begun = uow.session.execute(
        select(func.count())
        .select_from(Collaboration)
        .where(Collaboration.owner_id == owner_id, Collaboration.ended_at.is_(None))
    ).scalar_one()
    if begun >= maximum:
        raise TooManyCollaborations(maximum)
    made = Collaboration(uuid=uuid7(), owner_id=owner_id, lesson_id=lesson.id, created_at=uow.now)
    uow.session.add(made)
    uow.session.flush()
    uow.session.execute(
        insert(CollaborationParticipant).values(
            collaboration_id=made.id, user_id=owner_id, role=CollaborationRole.EDIT, joined_at=uow.now
        )
    )
    begin_documents(uow, made.id, {file.filename: file.content for file in files})
    return access_collaboration(owner_id, str(made.uuid))


def invite(
    uow: UnitOfWork, user_id: int, identifier: str, role: CollaborationRole, ttl_seconds: int | None
) -> Invitation:
    """A link that lets in whoever has it, until it expires. Raises CollaborationNotFound, CollaborationOwnerOnly,
    CollaborationEnded."""
    access = _owned(user_id, identifier)
    longest = learning_settings().collaboration_invitation_ttl_seconds
    made = Invitation(
        uuid7(), secrets.token_urlsafe(24), role, uow.now + timedelta(seconds=min(ttl_seconds or longest, longest))
    )
    uow.session.execute(
        insert(CollaborationInvitation).values(
            uuid=made.uuid,
            collaboration_id=access.collaboration_id,
            secret_digest=_digest(made.secret),
            role=made.role,
            created_at=uow.now,
            expires_at=made.expires_at,
        )
    )
    return made


def withdraw_invitation(uow: UnitOfWork, user_id: int, identifier: str, invitation: str) -> None:
    """The link lets nobody in any more. Raises as `invite` does, and InvalidInvitation."""
    access = _owned(user_id, identifier)
    try:
        wanted = uuid.UUID(invitation)
    except ValueError:
        raise InvalidInvitation() from None
    gone = uow.session.execute(
        delete(CollaborationInvitation)
        .where(
            CollaborationInvitation.uuid == wanted, CollaborationInvitation.collaboration_id == access.collaboration_id
        )
        .returning(CollaborationInvitation.id)
    ).scalar_one_or_none()
    if gone is None:
        raise InvalidInvitation()


def join_collaboration(uow: UnitOfWork, user_id: int, secret: str) -> Access:
    """Lets the bearer of a link in; somebody who is in already keeps their role. Raises InvalidInvitation,
    CollaborationEnded, CollaborationFull."""
    found = uow.session.execute(
        select(Collaboration, CollaborationInvitation.role)
        .join(CollaborationInvitation, CollaborationInvitation.collaboration_id == Collaboration.id)
        .where(
            CollaborationInvitation.secret_digest == _digest(secret),
            CollaborationInvitation.expires_at > uow.now,
        )
        .with_for_update(of=Collaboration)
    ).one_or_none()
    if found is None:
        raise InvalidInvitation()
    collaboration, role = found
    known = uow.session.execute(
        select(CollaborationParticipant.user_id, CollaborationParticipant.removed_at).where(
            CollaborationParticipant.collaboration_id == collaboration.id
        )
    ).all()
    standing = {row.user_id: row.removed_at for row in known}
    if standing.get(user_id) is not None:
        raise InvalidInvitation()
    if user_id not in standing:
        maximum = learning_settings().collaboration_participants
        if sum(removed_at is None for removed_at in standing.values()) >= maximum:
            raise CollaborationFull(maximum)
        uow.session.execute(
            insert(CollaborationParticipant).values(
                collaboration_id=collaboration.id, user_id=user_id, role=role, joined_at=uow.now
            )
        )
    access = access_collaboration(user_id, str(collaboration.uuid))
    access.require_open()
    if user_id not in standing:
        uow.broadcast(
            access.stream,
            {"type": "joined", "participant_id": access.participant_id, "role": access.role},
            durable=True,
        )
        uow.notify(access.owner_id, "learning.collaboration_joined", {"uuid": str(access.uuid)})
    return access


def set_role(uow: UnitOfWork, user_id: int, identifier: str, participant_id: int, role: CollaborationRole) -> None:
    """What a participant may do from now on. Raises as `invite` does, and ParticipantNotFound, also for the owner."""
    access = _owned(user_id, identifier)
    changed = uow.session.execute(
        update(CollaborationParticipant)
        .where(*_others(access, participant_id))
        .values(role=role)
        .returning(CollaborationParticipant.id)
    ).scalar_one_or_none()
    if changed is None:
        raise ParticipantNotFound()
    uow.broadcast(
        access.stream,
        {"type": "role_changed", "participant_id": participant_id, "role": role},
        durable=True,
        at_once=True,
    )


def remove_participant(uow: UnitOfWork, user_id: int, identifier: str, participant_id: int) -> None:
    """Sends somebody away, or goes oneself. Their sockets hear nothing that is said from now on.

    Raises CollaborationNotFound, CollaborationEnded, CollaborationOwnerOnly, ParticipantNotFound, also for the owner, who
    ends it instead.
    """
    access = _lock(uow, access_collaboration(user_id, identifier))
    access.require_open()
    if participant_id != access.participant_id:
        access.require_owner()
    removed = uow.session.execute(
        update(CollaborationParticipant)
        .where(*_others(access, participant_id))
        .values(removed_at=uow.now)
        .returning(CollaborationParticipant.id)
    ).scalar_one_or_none()
    if removed is None:
        raise ParticipantNotFound()
    uow.session.execute(
        update(Collaboration)
        .where(Collaboration.id == access.collaboration_id)
        .values(generation=Collaboration.generation + 1)
    )
    # The last word on the old stream. Who may stay goes on with the action `follow`, in the new one.
    uow.broadcast(access.stream, {"type": "moved", "removed_id": participant_id}, durable=True, at_once=True)


def end_collaboration(uow: UnitOfWork, user_id: int, identifier: str) -> None:
    """Nobody edits or joins from now on; what was written can still be read. Raises as `invite` does."""
    close_collaboration(uow, _owned(user_id, identifier))


def close_collaboration(uow: UnitOfWork, access: Access) -> None:
    """Ends one, whoever decided that. Raises CollaborationEnded."""
    access = _lock(uow, access)
    keep_versions(uow, access.collaboration_id, VersionReason.ENDED)
    uow.session.execute(
        update(Collaboration)
        .where(Collaboration.id == access.collaboration_id)
        .values(ended_at=uow.now, generation=Collaboration.generation + 1)
    )
    uow.session.execute(
        delete(CollaborationInvitation).where(CollaborationInvitation.collaboration_id == access.collaboration_id)
    )
    uow.broadcast(access.stream, {"type": "closed", "reason": "ended"}, durable=True, at_once=True)


def _owned(user_id: int, identifier: str) -> Access:
    access = access_collaboration(user_id, identifier)
    access.require_owner()
    access.require_open()
    return access


def _lock(uow: UnitOfWork, access: Access) -> Access:
    """The same, as it stands once nobody else changes it."""
    uow.session.execute(select(Collaboration.id).where(Collaboration.id == access.collaboration_id).with_for_update())
    found = access_collaboration(access.user_id, str(access.uuid))
    found.require_open()
    return found


def _others(access: Access, participant_id: int) -> tuple[ColumnElement[bool], ...]:
    """A participant who is there and is not the owner."""
    return (
        CollaborationParticipant.id == participant_id,
        CollaborationParticipant.collaboration_id == access.collaboration_id,
        CollaborationParticipant.user_id != access.owner_id,
        CollaborationParticipant.removed_at.is_(None),
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
