"""Factories for tests of learning and of plugins that require it; they go through the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from flask import Flask

from jiki_core.db import unit_of_work
from jiki_learning.commands.import_course import import_course
from jiki_learning.content.bundled import BUNDLED_COURSE, bundled_course_path
from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    CourseContent,
    LessonContent,
    LessonType,
    LevelContent,
)
from jiki_learning.content.import_plan import ImportPlan
from jiki_learning.content.jiki_format import read_jiki_course

#: a video that satisfies the rules of content.lesson_data
VIDEO: Mapping[str, Any] = {"provider": "mux", "id": "clip", "durationSeconds": 60, "uploadDate": "2026-01-31"}


def uuid_of(slug: str) -> str:
    """The UUID that factories give to what has this slug."""
    return str(uuid5(NAMESPACE_URL, f"jiki-testing/{slug}"))


def lesson(slug: str, type: LessonType = LessonType.EXERCISE, **values: Any) -> LessonContent:
    """A lesson; a video has one source."""
    data = {"sources": [dict(VIDEO)]} if type in (LessonType.VIDEO, LessonType.CHOOSE_LANGUAGE) else {}
    return LessonContent(**{"uuid": uuid_of(slug), "slug": slug, "type": type, "data": data, **values})


def level(slug: str, *lessons: LessonContent | str, **values: Any) -> LevelContent:
    """A level; a lesson given by its slug is a compulsory exercise."""
    made = tuple(lesson(one) if isinstance(one, str) else one for one in lessons)
    return LevelContent(**{"uuid": uuid_of(f"level {slug}"), "slug": slug, "lessons": made, **values})


def course(
    *levels: LevelContent,
    slug: str = BUNDLED_COURSE,
    concepts: Mapping[str, str | None] | None = None,
    challenges: Mapping[str, str | None] | None = None,
    **values: Any,
) -> CourseContent:
    """A course; `concepts` and `challenges` are slug -> slug of the lesson that unlocks it."""
    return CourseContent(
        slug=slug,
        levels=levels,
        concepts=tuple(ConceptContent(uuid_of(f"concept {one}"), one, by) for one, by in (concepts or {}).items()),
        challenges=tuple(
            ChallengeContent(uuid_of(f"challenge {one}"), one, one, by) for one, by in (challenges or {}).items()
        ),
        **values,
    )


def import_into(app: Flask, content: CourseContent | None = None) -> ImportPlan:
    """Imports a course, the bundled one unless another is given."""
    wanted = content or read_jiki_course(bundled_course_path())
    with app.app_context(), unit_of_work() as uow:
        return import_course(uow, wanted, default_course_slug=BUNDLED_COURSE)


def import_levels(app: Flask, sizes: Sequence[int], slug: str = BUNDLED_COURSE) -> CourseContent:
    """A course of levels with so many compulsory exercises each, named `lesson-<level>-<number>`."""
    content = course(
        *(
            level(f"level-{number}", *(f"lesson-{number}-{index}" for index in range(1, size + 1)))
            for number, size in enumerate(sizes, start=1)
        ),
        slug=slug,
    )
    import_into(app, content)
    return content
