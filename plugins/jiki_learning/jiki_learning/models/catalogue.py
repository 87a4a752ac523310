"""Courses of levels of lessons, and the number that grows with every change of them (contract.md 4.1).

Positions are unique but checked at the commit, so that an edit may renumber freely.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey
from jiki_learning.models.base import LearningModel


class CatalogueVersion(LearningModel):
    """One row. Whoever changes content makes `version` grow in the same transaction; caches compare it."""

    __tablename__ = "catalogue_version"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="is_one_row"),)


class Course(LearningModel):
    __tablename__ = "courses"

    id: Mapped[IdentityKey]
    slug: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        UniqueConstraint("slug"),
        UniqueConstraint("position", deferrable=True, initially="DEFERRED"),
    )


class Level(LearningModel):
    __tablename__ = "levels"

    id: Mapped[IdentityKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("learning.courses.id", ondelete="CASCADE"))
    uuid: Mapped[uuid.UUID]
    slug: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)
    milestone_email_subject: Mapped[str] = mapped_column(Text, server_default=text("''"))
    milestone_email_content_markdown: Mapped[str] = mapped_column(Text, server_default=text("''"))
    milestone_email_image_url: Mapped[str] = mapped_column(Text, server_default=text("''"))

    __table_args__ = (
        UniqueConstraint("uuid"),
        UniqueConstraint("slug"),
        UniqueConstraint("course_id", "position", deferrable=True, initially="DEFERRED"),
    )


class LevelTranslation(LearningModel):
    """A milestone mail in another language than English."""

    __tablename__ = "level_translations"

    id: Mapped[IdentityKey]
    level_id: Mapped[int] = mapped_column(ForeignKey("learning.levels.id", ondelete="CASCADE"))
    locale: Mapped[str] = mapped_column(Text)
    milestone_email_subject: Mapped[str] = mapped_column(Text)
    milestone_email_content_markdown: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("level_id", "locale"), CheckConstraint("locale <> 'en'", name="is_no_original"))


class Lesson(LearningModel):
    __tablename__ = "lessons"

    id: Mapped[IdentityKey]
    level_id: Mapped[int] = mapped_column(ForeignKey("learning.levels.id", ondelete="CASCADE"))
    uuid: Mapped[uuid.UUID]
    slug: Mapped[str] = mapped_column(Text)
    #: a LessonType
    type: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)
    is_optional: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    #: by the rules of content.lesson_data
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    walkthrough_video_data: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        UniqueConstraint("uuid"),
        UniqueConstraint("slug"),
        UniqueConstraint("level_id", "position", deferrable=True, initially="DEFERRED"),
        Index("lessons_type_idx", "type"),
    )
