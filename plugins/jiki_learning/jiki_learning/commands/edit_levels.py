"""Creates and changes levels, as an editor does it (contract.md 2.6). Levels are never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, update

from jiki_core.db import UnitOfWork
from jiki_learning.commands.content_rows import UNPLACED
from jiki_learning.commands.edit_content import check_slug, editing, place_among
from jiki_learning.errors import LevelNotFound
from jiki_learning.models import Level
from jiki_learning.queries.catalogue import find_course

#: what an editor may set, besides the position
TEXTS = ("slug", "milestone_email_subject", "milestone_email_content_markdown", "milestone_email_image_url")


def create_level(uow: UnitOfWork, course_slug: str, values: Mapping[str, Any]) -> int:
    """Returns its id. `values`: `slug`, and further ones of `TEXTS` and `position`.

    Raises CourseNotFound, ValidationFailed.
    """
    course = find_course(course_slug)
    with editing(uow, course.id):
        check_slug(uow, Level, values["slug"])
        texts = {name: values[name] for name in TEXTS if name in values}
        level_id = uow.session.execute(
            insert(Level).values(course_id=course.id, uuid=uuid4(), position=UNPLACED, **texts).returning(Level.id)
        ).scalar_one()
        place_among(uow, Level, Level.course_id == course.id, level_id, values.get("position"))
    return level_id


def change_level(uow: UnitOfWork, course_slug: str, level_id: int, values: Mapping[str, Any]) -> None:
    """Only what `values` names changes. Raises CourseNotFound, LevelNotFound, ValidationFailed."""
    course = find_course(course_slug)
    is_there = select(Level.id).where(Level.id == level_id, Level.course_id == course.id)
    if uow.session.execute(is_there).scalar_one_or_none() is None:
        raise LevelNotFound()
    with editing(uow, course.id):
        if "slug" in values:
            check_slug(uow, Level, values["slug"], except_id=level_id)
        texts = {name: values[name] for name in TEXTS if name in values}
        if texts:
            uow.session.execute(update(Level).where(Level.id == level_id).values(**texts))
        if values.get("position") is not None:
            place_among(uow, Level, Level.course_id == course.id, level_id, values["position"])
