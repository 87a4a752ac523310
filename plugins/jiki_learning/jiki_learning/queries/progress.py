"""What a learner has reached in a course, in one statement (performance.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from jiki_core.db import reading
from jiki_learning.catalogue import CatalogueCourse
from jiki_learning.progression import CourseFacts, Progress
from jiki_learning.queries.catalogue import catalogue_cache

# What a learner has reached, in all courses: rows of other courses play no part, facts are looked up by a course's own.
_REACHED = """
    select levels.ids as level_ids, levels.are_complete as levels_complete,
           lessons.ids as lesson_ids, lessons.are_complete as lessons_complete, lessons.percentages,
           (select version from learning.catalogue_version) as version
    from (
        select array_agg(level_id) as ids, array_agg(completed_at is not null) as are_complete
        from learning.user_levels where user_id = :user_id
    ) levels
    cross join (
        select array_agg(lesson_id) as ids, array_agg(completed_at is not null) as are_complete,
               array_agg(walkthrough_video_watched_percentage) as percentages
        from learning.user_lessons where user_id = :user_id
    ) lessons
"""
_ENROLMENT = (
    "select id, course_id, language, revision, completed_at from learning.user_courses where user_id = :user_id"
)

_PROGRESS = text(f"""
    select reached.*, mine.* from ({_REACHED}) reached
    left join ({_ENROLMENT} and course_id = :course_id) mine on true
""")

# At least one row, so that somebody without enrolments is no special case.
_ALL_PROGRESS = text(f"select reached.*, mine.* from ({_REACHED}) reached left join ({_ENROLMENT}) mine on true")

_REVISION = text("""
    select (select version from learning.catalogue_version) as version, id, revision
    from learning.user_courses where user_id = :user_id and course_id = :course_id
""")


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """One learner's standing in one course, at the catalogue's version of the same moment."""

    course: CatalogueCourse
    facts: CourseFacts
    #: of the enrolment; None before it
    user_course_id: int | None
    language: str | None
    completed_at: datetime | None
    #: names this state of content and progress
    tag: str
    #: lesson id -> watched percentage of the walkthrough
    percentages: Mapping[int, int | None]


def course_progress(user_id: int, course: CatalogueCourse) -> CourseProgress:
    """One statement; the catalogue follows when its version is another by now."""
    row = reading().execute(_PROGRESS, {"user_id": user_id, "course_id": course.id}).one()
    catalogue = catalogue_cache().compared(row.version)
    return _course_progress(row, catalogue.courses.get(course.slug, course))


def all_progress(user_id: int) -> list[CourseProgress]:
    """The same for every course the learner is enrolled in, in the order of the courses; one statement too."""
    rows = reading().execute(_ALL_PROGRESS, {"user_id": user_id}).all()
    by_course = {row.course_id: row for row in rows}
    catalogue = catalogue_cache().compared(rows[0].version)
    return [
        _course_progress(by_course[course.id], course)
        for course in catalogue.courses.values()
        if course.id in by_course
    ]


def _course_progress(row: Any, course: CatalogueCourse) -> CourseProgress:
    return CourseProgress(
        course=course,
        facts=CourseFacts(
            levels=course.levels,
            level_progress=_progress(row.level_ids, row.levels_complete),
            lesson_progress=_progress(row.lesson_ids, row.lessons_complete),
            is_enrolled=row.id is not None,
        ),
        user_course_id=row.id,
        language=row.language,
        completed_at=row.completed_at,
        tag=_tag(row.version, row.id, row.revision),
        percentages=dict(zip(row.lesson_ids or (), row.percentages or (), strict=True)),
    )


def progress_tag(user_id: int, course: CatalogueCourse) -> str | None:
    """`CourseProgress.tag` of this moment, without the progress itself; None for somebody who is not enrolled."""
    row = reading().execute(_REVISION, {"user_id": user_id, "course_id": course.id}).one_or_none()
    return None if row is None else _tag(row.version, row.id, row.revision)


def _tag(version: int | None, user_course_id: int | None, revision: int | None) -> str:
    return f"{version or 0:x}-{user_course_id or 0:x}-{revision or 0:x}"


def _progress(ids: list[int] | None, are_complete: list[bool] | None) -> dict[int, Progress]:
    pairs = zip(ids or (), are_complete or (), strict=True)
    return {row: Progress.COMPLETED if is_complete else Progress.STARTED for row, is_complete in pairs}
