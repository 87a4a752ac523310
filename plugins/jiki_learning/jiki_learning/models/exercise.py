"""What a learner works on in an exercise: texts and files, of a lesson or of a challenge."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Integer, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey
from jiki_learning.models.base import LearningModel


class Exercise(LearningModel):
    """Material of one lesson or one challenge. Texts are Markdown, empty when there is none."""

    __tablename__ = "exercises"

    id: Mapped[IdentityKey]
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("learning.lessons.id", ondelete="CASCADE"))
    challenge_id: Mapped[int | None] = mapped_column(ForeignKey("learning.challenges.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    blurb: Mapped[str] = mapped_column(Text, server_default=text("''"))
    introduction: Mapped[str] = mapped_column(Text, server_default=text("''"))
    instructions: Mapped[str] = mapped_column(Text, server_default=text("''"))
    hints: Mapped[str] = mapped_column(Text, server_default=text("''"))
    #: 1 to 10 as the author rates it; null when unrated
    difficulty: Mapped[int | None] = mapped_column(SmallInteger)
    #: whether a test run on the server says what has passed, whatever the client says
    tests_decide: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    #: slugs of concepts that it teaches, needs and practises
    concepts: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    prerequisites: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    practices: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))

    __table_args__ = (
        UniqueConstraint("lesson_id"),
        UniqueConstraint("challenge_id"),
        CheckConstraint("num_nonnulls(lesson_id, challenge_id) = 1", name="has_one_owner"),
    )


class ExerciseFile(LearningModel):
    """A file of an exercise; `role` is a FileRole, `path` relative to the exercise's folder."""

    __tablename__ = "exercise_files"

    exercise_id: Mapped[int] = mapped_column(ForeignKey("learning.exercises.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    role: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
