"""Collaborations: learners who work on one exercise's files together, and what they have written."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_learning.models.base import LearningModel, UserKey


class Collaboration(LearningModel):
    """One owner, one lesson, a document per file. Its row is the lock under which participants change."""

    __tablename__ = "collaborations"

    id: Mapped[IdentityKey]
    uuid: Mapped[uuid.UUID]
    owner_id: Mapped[UserKey]
    lesson_id: Mapped[int] = mapped_column(ForeignKey("learning.lessons.id", ondelete="CASCADE"))
    #: part of the stream's name: grows when somebody is removed, so that their sockets listen to a stream that is over
    generation: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[Timestamp]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("uuid"),
        Index("collaborations_owner_id_idx", "owner_id"),
        Index("collaborations_lesson_id_idx", "lesson_id"),
        Index("collaborations_ended_at_idx", "ended_at"),
    )


class CollaborationParticipant(LearningModel):
    """The owner is one too. Somebody who was removed stays known, so that an old link does not let them in again."""

    __tablename__ = "collaboration_participants"

    id: Mapped[IdentityKey]
    collaboration_id: Mapped[int] = mapped_column(ForeignKey("learning.collaborations.id", ondelete="CASCADE"))
    user_id: Mapped[UserKey]
    role: Mapped[str] = mapped_column(Text)
    joined_at: Mapped[Timestamp]
    removed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("collaboration_id", "user_id"),
        CheckConstraint("role in ('edit', 'view')", name="role"),
        Index("collaboration_participants_user_id_idx", "user_id"),
    )


class CollaborationInvitation(LearningModel):
    """A link; only the SHA-256 of its secret is kept."""

    __tablename__ = "collaboration_invitations"

    id: Mapped[IdentityKey]
    uuid: Mapped[uuid.UUID]
    collaboration_id: Mapped[int] = mapped_column(ForeignKey("learning.collaborations.id", ondelete="CASCADE"))
    secret_digest: Mapped[str] = mapped_column(CHAR(64))
    role: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]

    __table_args__ = (
        UniqueConstraint("uuid"),
        UniqueConstraint("secret_digest"),
        CheckConstraint("role in ('edit', 'view')", name="role"),
        Index("collaboration_invitations_collaboration_id_idx", "collaboration_id"),
    )


class CollaborationDocument(LearningModel):
    """A shared file. Its row is the lock under which updates are counted and compacted."""

    __tablename__ = "collaboration_documents"

    id: Mapped[IdentityKey]
    collaboration_id: Mapped[int] = mapped_column(ForeignKey("learning.collaborations.id", ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(Text)
    #: of all its updates together, and how many rows they are
    byte_count: Mapped[int] = mapped_column(Integer)
    update_count: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[Timestamp]

    __table_args__ = (UniqueConstraint("collaboration_id", "filename"),)


class CollaborationUpdate(LearningModel):
    """A Yjs update (version 1 of the format). All of a document's rows together are the document."""

    __tablename__ = "collaboration_updates"

    id: Mapped[IdentityKey]
    document_id: Mapped[int] = mapped_column(ForeignKey("learning.collaboration_documents.id", ondelete="CASCADE"))
    content: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("collaboration_updates_document_id_idx", "document_id", "id"),)


class CollaborationVersion(LearningModel):
    """A document's text at a moment, to look back on."""

    __tablename__ = "collaboration_versions"

    id: Mapped[IdentityKey]
    document_id: Mapped[int] = mapped_column(ForeignKey("learning.collaboration_documents.id", ondelete="CASCADE"))
    content: Mapped[str] = mapped_column(Text)
    #: why it was kept
    reason: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[Timestamp]

    __table_args__ = (
        CheckConstraint("reason in ('began', 'edited', 'submitted', 'ended')", name="reason"),
        Index("collaboration_versions_document_id_idx", "document_id", "id"),
    )
