"""Creates, changes, moves and appends lessons, as an editor does it (contract.md 2.6 and 3.7). Lessons are never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, insert, select, update

from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_learning.commands.content_rows import UNPLACED
from jiki_learning.commands.edit_content import check_slug, editing, place_among
from jiki_learning.content.course import LessonType
from jiki_learning.content.lesson_data import lesson_data_faults
from jiki_learning.errors import LessonNotFound, LevelNotFound
from jiki_learning.models import Lesson, Level, UserLevel

#: what an editor may set, besides level and position
CONTENTS = ("slug", "type", "is_optional", "data", "walkthrough_video_data")


def create_lesson(uow: UnitOfWork, level_id: int, values: Mapping[str, Any], *, reopen: bool = False) -> int:
    """Returns its id. `values`: `slug`, `type`, and further ones of `CONTENTS` and `position`.

    `reopen`: learners who completed the level have it open again. Raises LevelNotFound, ValidationFailed.
    """
    level = _level(uow, level_id)
    with editing(uow, level.course_id):
        contents = {name: values[name] for name in CONTENTS if name in values}
        _check(uow, contents)
        lesson_id = uow.session.execute(
            insert(Lesson).values(level_id=level_id, uuid=uuid4(), position=UNPLACED, **contents).returning(Lesson.id)
        ).scalar_one()
        place_among(uow, Lesson, Lesson.level_id == level_id, lesson_id, values.get("position"))
        if reopen:
            _reopen(uow, level_id)
    return lesson_id


def change_lesson(uow: UnitOfWork, level_id: int, lesson_id: int, values: Mapping[str, Any]) -> None:
    """Only what `values` names changes; `level_id` among them moves the lesson.

    Raises LevelNotFound, LessonNotFound, ValidationFailed.
    """
    level = _level(uow, level_id)
    stored = uow.session.execute(
        select(*(getattr(Lesson, name) for name in CONTENTS)).where(Lesson.id == lesson_id, Lesson.level_id == level_id)
    ).one_or_none()
    if stored is None:
        raise LessonNotFound()
    with editing(uow, level.course_id):
        contents = {name: values[name] for name in CONTENTS if name in values}
        if contents:
            _check(uow, {**stored._asdict(), **contents}, except_id=lesson_id)
            uow.session.execute(update(Lesson).where(Lesson.id == lesson_id).values(**contents))
        target = values.get("level_id") or level_id
        if target != level_id:
            _move(uow, lesson_id, level, target, values.get("position"))
        elif values.get("position") is not None:
            place_among(uow, Lesson, Lesson.level_id == level_id, lesson_id, values["position"])


def move_lesson(
    uow: UnitOfWork, lesson_slug: str, level_slug: str, *, position: int | None = None, reopen: bool = False
) -> None:
    """To another level of its course, at the end unless a position is given.

    `reopen`: learners who completed that level have it open again. Raises LessonNotFound, LevelNotFound, ValidationFailed
    for a level of another course.
    """
    lesson = uow.session.execute(select(Lesson.id, Lesson.level_id).where(Lesson.slug == lesson_slug)).one_or_none()
    if lesson is None:
        raise LessonNotFound()
    target = uow.session.execute(select(Level.id).where(Level.slug == level_slug)).scalar_one_or_none()
    if target is None:
        raise LevelNotFound()
    source = _level(uow, lesson.level_id)
    with editing(uow, source.course_id):
        _move(uow, lesson.id, source, target, position)
        if reopen:
            _reopen(uow, target)


def _move(uow: UnitOfWork, lesson_id: int, source: Row[int, int], target_id: int, position: int | None) -> None:
    if _level(uow, target_id).course_id != source.course_id:
        raise ValidationFailed({"level_id": [FieldError("inclusion")]})
    uow.session.execute(update(Lesson).where(Lesson.id == lesson_id).values(level_id=target_id, position=UNPLACED))
    place_among(uow, Lesson, Lesson.level_id == target_id, lesson_id, position)


def _reopen(uow: UnitOfWork, level_id: int) -> None:
    uow.session.execute(update(UserLevel).where(UserLevel.level_id == level_id).values(completed_at=None))


def _level(uow: UnitOfWork, level_id: int) -> Row[int, int]:
    level = uow.session.execute(select(Level.id, Level.course_id).where(Level.id == level_id)).one_or_none()
    if level is None:
        raise LevelNotFound()
    return level


def _check(uow: UnitOfWork, contents: Mapping[str, Any], *, except_id: int | None = None) -> None:
    check_slug(uow, Lesson, contents["slug"], except_id=except_id)
    faults: dict[str, list[FieldError]] = {}
    type = LessonType(contents["type"])
    for fault in lesson_data_faults(type, contents.get("data"), contents.get("walkthrough_video_data")):
        faults.setdefault(".".join(str(step) for step in fault.path), []).append(FieldError("invalid"))
    if faults:
        raise ValidationFailed(faults)
