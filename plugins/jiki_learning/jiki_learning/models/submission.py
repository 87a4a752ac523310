"""Submitted code: text under its content address, so that the same text is kept once (contract.md 3.8)."""

from __future__ import annotations

import uuid

from sqlalchemy import CHAR, Boolean, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_learning.models.base import LearningModel


class FileText(LearningModel):
    """`digest` is the SHA-256 of the text in hexadecimal. Rows are never changed; unused ones are swept."""

    __tablename__ = "file_texts"

    digest: Mapped[str] = mapped_column(CHAR(64), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    stored_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class ExerciseSubmission(LearningModel):
    """What a learner handed in for a lesson or a challenge."""

    __tablename__ = "exercise_submissions"

    id: Mapped[IdentityKey]
    uuid: Mapped[uuid.UUID]
    user_lesson_id: Mapped[int | None] = mapped_column(ForeignKey("learning.user_lessons.id", ondelete="CASCADE"))
    user_challenge_id: Mapped[int | None] = mapped_column(ForeignKey("learning.user_challenges.id", ondelete="CASCADE"))
    #: whether its tests passed; null while nobody has told
    has_passed: Mapped[bool | None] = mapped_column(Boolean)
    stored_at: Mapped[Timestamp]

    __table_args__ = (
        UniqueConstraint("uuid"),
        CheckConstraint("num_nonnulls(user_lesson_id, user_challenge_id) = 1", name="has_one_context"),
        Index("exercise_submissions_user_lesson_idx", "user_lesson_id", "id"),
        Index("exercise_submissions_user_challenge_idx", "user_challenge_id", "id"),
    )


class SubmissionFile(LearningModel):
    __tablename__ = "submission_files"

    submission_id: Mapped[int] = mapped_column(
        ForeignKey("learning.exercise_submissions.id", ondelete="CASCADE"), primary_key=True
    )
    filename: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey("learning.file_texts.digest", ondelete="CASCADE"))

    __table_args__ = (Index("submission_files_digest_idx", "digest"),)
