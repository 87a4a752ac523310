"""`admin/levels`: levels, their lessons and translations (contract.md 2.6)."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.http import Blueprint, Reply, policy, reply, reply_page
from jiki_learning.admin_schemas import (
    AdminLessonReply,
    AdminLessonsReply,
    AdminLevelPageReply,
    AdminLevelReply,
    ChangedLessonBody,
    ChangedLevelBody,
    LevelPageQuery,
    NewLessonBody,
    NewLevelBody,
    QueuedTranslationsReply,
)
from jiki_learning.api.v1.row_ids import row_id
from jiki_learning.commands.edit_lessons import change_lesson, create_lesson
from jiki_learning.commands.edit_levels import change_level, create_level
from jiki_learning.commands.translate_level import queue_translations
from jiki_learning.errors import CourseNotFound, LessonNotFound, LevelNotFound, MissingCourse
from jiki_learning.queries.catalogue import find_course
from jiki_learning.queries.editing import lesson_list, level_page, one_lesson, one_level
from jiki_learning.schemas import CourseQuery

blp = Blueprint("levels", __name__, url_prefix="/levels", description="Edit levels and lessons")


@blp.route("")
@policy("learning.edit_content")
@blp.arguments(LevelPageQuery, location="query")
@blp.response(200, AdminLevelPageReply)
@blp.raises(MissingCourse, CourseNotFound)
def index(query: dict[str, Any]) -> Reply:
    """A course's levels in order."""
    _course(query)
    page = level_page(query)
    return reply_page(page, page.items)


@blp.route("", methods=["POST"])
@policy("learning.edit_content")
@blp.arguments(CourseQuery, location="query")
@blp.arguments(NewLevelBody)
@blp.response(201, AdminLevelReply)
@blp.raises(MissingCourse, CourseNotFound, ValidationFailed)
def create(query: dict[str, Any], body: dict[str, Any]) -> Reply:
    """A new level, at the end unless it has a position."""
    with unit_of_work() as uow:
        level_id = create_level(uow, _course(query), body["level"])
    return reply({"level": one_level(level_id)}, status=201)


@blp.route("/<level_id>", methods=["PATCH"])
@policy("learning.edit_content")
@blp.arguments(CourseQuery, location="query")
@blp.arguments(ChangedLevelBody)
@blp.response(200, AdminLevelReply)
@blp.raises(MissingCourse, CourseNotFound, LevelNotFound, ValidationFailed)
def update(query: dict[str, Any], body: dict[str, Any], level_id: str) -> Reply:
    """Changes a level; a position moves it among the others."""
    course_slug, wanted = _course(query), row_id(level_id, LevelNotFound)
    with unit_of_work() as uow:
        change_level(uow, course_slug, wanted, body["level"])
    return reply({"level": one_level(wanted)})


@blp.route("/<level_id>/lessons")
@policy("learning.edit_content")
@blp.response(200, AdminLessonsReply)
@blp.raises(LevelNotFound)
def lessons(level_id: str) -> Reply:
    """A level's lessons in order."""
    return reply({"lessons": lesson_list(row_id(level_id, LevelNotFound))})


@blp.route("/<level_id>/lessons", methods=["POST"])
@policy("learning.edit_content")
@blp.arguments(NewLessonBody)
@blp.response(201, AdminLessonReply)
@blp.raises(LevelNotFound, ValidationFailed)
def add_lesson(body: dict[str, Any], level_id: str) -> Reply:
    """A new lesson, at the end unless it has a position."""
    with unit_of_work() as uow:
        lesson_id = create_lesson(uow, row_id(level_id, LevelNotFound), _lesson(body))
    return reply({"lesson": one_lesson(lesson_id)}, status=201)


@blp.route("/<level_id>/lessons/<lesson_id>", methods=["PATCH"])
@policy("learning.edit_content")
@blp.arguments(ChangedLessonBody)
@blp.response(200, AdminLessonReply)
@blp.raises(LevelNotFound, LessonNotFound, ValidationFailed)
def update_lesson(body: dict[str, Any], level_id: str, lesson_id: str) -> Reply:
    """Changes a lesson; a position moves it among the others, `level_id` to another level."""
    wanted = row_id(lesson_id, LessonNotFound)
    with unit_of_work() as uow:
        change_lesson(uow, row_id(level_id, LevelNotFound), wanted, _lesson(body))
    return reply({"lesson": one_lesson(wanted)})


@blp.route("/<level_id>/translations/translate", methods=["POST"])
@policy("learning.edit_content")
@blp.response(202, QueuedTranslationsReply)
@blp.raises(LevelNotFound)
def translate(level_id: str) -> Reply:
    """Asks for the milestone mail in every other language."""
    with unit_of_work() as uow:
        slug, locales = queue_translations(uow, row_id(level_id, LevelNotFound))
    return reply({"level_slug": slug, "queued_locales": locales}, status=202)


def _course(query: dict[str, Any]) -> str:
    if not query["course_slug"]:
        raise MissingCourse()
    return find_course(query["course_slug"]).slug


def _lesson(body: dict[str, Any]) -> dict[str, Any]:
    """The wire says `optional`, the table `is_optional`."""
    values: dict[str, Any] = dict(body["lesson"])
    if "optional" in values:
        values["is_optional"] = values.pop("optional")
    return values
