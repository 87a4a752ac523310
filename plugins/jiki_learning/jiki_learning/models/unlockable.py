"""What lessons unlock: concepts and challenges, and the edges from lessons to what completing them opens."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey
from jiki_learning.models.base import LearningModel


class Concept(LearningModel):
    """`course_id`: whose import owns it; null for one that an admin made without a course."""

    __tablename__ = "concepts"

    id: Mapped[IdentityKey]
    course_id: Mapped[int | None] = mapped_column(ForeignKey("learning.courses.id", ondelete="CASCADE"))
    uuid: Mapped[uuid.UUID]
    slug: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("uuid"), UniqueConstraint("slug"), Index("concepts_course_id_idx", "course_id"))


class FormerConceptSlug(LearningModel):
    """A slug that a concept once had and that still finds it (contract.md 4.1)."""

    __tablename__ = "former_concept_slugs"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    concept_id: Mapped[int] = mapped_column(ForeignKey("learning.concepts.id", ondelete="CASCADE"))

    __table_args__ = (Index("former_concept_slugs_concept_id_idx", "concept_id"),)


class Challenge(LearningModel):
    __tablename__ = "challenges"

    id: Mapped[IdentityKey]
    course_id: Mapped[int | None] = mapped_column(ForeignKey("learning.courses.id", ondelete="CASCADE"))
    uuid: Mapped[uuid.UUID]
    slug: Mapped[str] = mapped_column(Text)
    exercise_slug: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("uuid"),
        UniqueConstraint("slug"),
        Index("challenges_course_id_idx", "course_id"),
    )


class UnlockEdge(LearningModel):
    """Completing `lesson_id` opens exactly one of the targets.

    Edges to lessons follow the order of positions and are rewritten with it (`commands/unlock_edges.py`; the doctor
    compares), those to concepts and challenges are content.
    """

    __tablename__ = "unlock_edges"

    id: Mapped[IdentityKey]
    lesson_id: Mapped[int] = mapped_column(ForeignKey("learning.lessons.id", ondelete="CASCADE"))
    next_lesson_id: Mapped[int | None] = mapped_column(ForeignKey("learning.lessons.id", ondelete="CASCADE"))
    concept_id: Mapped[int | None] = mapped_column(ForeignKey("learning.concepts.id", ondelete="CASCADE"))
    challenge_id: Mapped[int | None] = mapped_column(ForeignKey("learning.challenges.id", ondelete="CASCADE"))

    __table_args__ = (
        CheckConstraint("num_nonnulls(next_lesson_id, concept_id, challenge_id) = 1", name="has_one_target"),
        CheckConstraint("next_lesson_id <> lesson_id", name="leads_elsewhere"),
        UniqueConstraint("lesson_id", "next_lesson_id"),
        UniqueConstraint("concept_id"),
        UniqueConstraint("challenge_id"),
        Index("unlock_edges_next_lesson_id_idx", "next_lesson_id"),
    )
