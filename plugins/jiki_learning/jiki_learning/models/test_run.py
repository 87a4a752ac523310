"""Test runs of submissions on the server, and the drafts that learners type between submissions."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_learning.models.base import LearningModel, UserKey


class TestRun(LearningModel):
    """One run of a submission's tests. `state` is a TestRunState, `outcome` a RunOutcome once it is finished.

    `report` is what the runner told, as JSON: tests, summary, message, breakage, output, limits, duration.
    """

    __test__ = False  # no test case, whatever pytest makes of the name
    __tablename__ = "test_runs"

    id: Mapped[IdentityKey]
    uuid: Mapped[uuid.UUID]
    submission_id: Mapped[int] = mapped_column(ForeignKey("learning.exercise_submissions.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text)
    #: whether the outcome is the submission's
    decides: Mapped[bool]
    state: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    queued_at: Mapped[Timestamp]
    started_at: Mapped[Timestamp | None]
    finished_at: Mapped[Timestamp | None]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        UniqueConstraint("uuid"),
        Index("test_runs_submission_idx", "submission_id", "id"),
        Index("test_runs_waiting_idx", "id", postgresql_where=text("state = 'queued'")),
        CheckConstraint("(finished_at is null) = (state in ('queued', 'running'))", name="is_over_or_not"),
    )


class ExerciseDraft(LearningModel):
    """The last text of a learner for a lesson, as the cable last wrote it down; Valkey may know a newer one."""

    __tablename__ = "exercise_drafts"

    user_id: Mapped[UserKey] = mapped_column(BigInteger, primary_key=True)
    lesson_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("learning.lessons.id", ondelete="CASCADE"), primary_key=True
    )
    #: file name → text
    files: Mapped[dict[str, str]] = mapped_column(JSONB)
    #: counts the learner's edits
    version: Mapped[int] = mapped_column(Integer)
    saved_at: Mapped[Timestamp]

    __table_args__ = (Index("exercise_drafts_lesson_idx", "lesson_id"),)
