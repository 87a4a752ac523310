"""What learners have reached (contract.md 4.3). No row points at "the current" one: that is derived from completions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_learning.models.base import LearningModel, UserKey


class AwaitedEnrolment(LearningModel):
    """An account made before the default course was imported; the import enrols it."""

    __tablename__ = "awaited_enrolments"

    user_id: Mapped[UserKey] = mapped_column(primary_key=True, autoincrement=False)


class UserCourse(LearningModel):
    """An enrolment. Its row is the one lock under which a learner's progress in the course changes."""

    __tablename__ = "user_courses"

    id: Mapped[IdentityKey]
    user_id: Mapped[UserKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("learning.courses.id", ondelete="CASCADE"))
    #: set once (contract.md 3.7)
    language: Mapped[str | None] = mapped_column(Text)
    #: grows with every change of the learner's progress in the course; part of ETags
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    enrolled_at: Mapped[Timestamp]
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        Index("user_courses_course_id_idx", "course_id"),
        CheckConstraint("language in ('javascript', 'python')", name="language"),
    )


class UserLevel(LearningModel):
    __tablename__ = "user_levels"

    id: Mapped[IdentityKey]
    user_id: Mapped[UserKey]
    level_id: Mapped[int] = mapped_column(ForeignKey("learning.levels.id", ondelete="CASCADE"))
    started_at: Mapped[Timestamp]
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: when the milestone mail was asked for: once, however often the level is completed
    milestone_mailed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (UniqueConstraint("user_id", "level_id"), Index("user_levels_level_id_idx", "level_id"))


class UserLesson(LearningModel):
    __tablename__ = "user_lessons"

    id: Mapped[IdentityKey]
    user_id: Mapped[UserKey]
    lesson_id: Mapped[int] = mapped_column(ForeignKey("learning.lessons.id", ondelete="CASCADE"))
    started_at: Mapped[Timestamp]
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    difficulty_rating: Mapped[int | None] = mapped_column(SmallInteger)
    fun_rating: Mapped[int | None] = mapped_column(SmallInteger)
    walkthrough_video_watched_percentage: Mapped[int | None] = mapped_column(SmallInteger)

    __table_args__ = (
        UniqueConstraint("user_id", "lesson_id"),
        Index("user_lessons_lesson_id_idx", "lesson_id"),
        CheckConstraint("difficulty_rating between 1 and 5", name="difficulty_rating"),
        CheckConstraint("fun_rating between 1 and 5", name="fun_rating"),
        CheckConstraint("walkthrough_video_watched_percentage between 0 and 100", name="walkthrough_video"),
    )


class UserConcept(LearningModel):
    """A concept that a learner has unlocked; it stays so whatever becomes of the lesson."""

    __tablename__ = "user_concepts"

    user_id: Mapped[UserKey] = mapped_column(primary_key=True, autoincrement=False)
    concept_id: Mapped[int] = mapped_column(ForeignKey("learning.concepts.id", ondelete="CASCADE"), primary_key=True)
    unlocked_at: Mapped[Timestamp]

    __table_args__ = (Index("user_concepts_concept_id_idx", "concept_id"),)


class UserChallenge(LearningModel):
    """Made on start only; whether a challenge is unlocked is derived from the lesson that unlocks it."""

    __tablename__ = "user_challenges"

    id: Mapped[IdentityKey]
    user_id: Mapped[UserKey]
    challenge_id: Mapped[int] = mapped_column(ForeignKey("learning.challenges.id", ondelete="CASCADE"))
    started_at: Mapped[Timestamp]
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("user_id", "challenge_id"),
        Index("user_challenges_challenge_id_idx", "challenge_id"),
    )


class UserVideo(LearningModel):
    """How much of a video outside the courses was watched; `uuid` is the client's own name for it."""

    __tablename__ = "user_videos"

    id: Mapped[IdentityKey]
    user_id: Mapped[UserKey]
    uuid: Mapped[str] = mapped_column(Text)
    watched_percentage: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        UniqueConstraint("user_id", "uuid"),
        CheckConstraint("watched_percentage between 0 and 100", name="watched_percentage"),
    )
