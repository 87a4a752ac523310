"""What a learner has reached in a course, in one statement (performance.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from jiki_core.db import reading
from jiki_learning.catalogue import CatalogueCourse
from jiki_learning.progression import CourseFacts, Progress
from jiki_learning.queries.catalogue import catalogue_cache

_PROGRESS = text("""
    select mine.id, mine.language, mine.revision, mine.completed_at,
           (select version from learning.catalogue_version) as version,
           levels.ids as level_ids, levels.are_complete as levels_complete,
           lessons.ids as lesson_ids, lessons.are_complete as lessons_complete, lessons.percentages
    from (select) as one
    left join learning.user_courses mine on mine.user_id = :user_id and mine.course_id = :course_id
    cross join lateral (
        select array_agg(level_id) as ids, array_agg(completed_at is not null) as are_complete
        from learning.user_levels where user_id = :user_id
    ) levels
    cross join lateral (
        select array_agg(lesson_id) as ids, array_agg(completed_at is not null) as are_complete,
               array_agg(walkthrough_video_watched_percentage) as percentages
        from learning.user_lessons where user_id = :user_id
    ) lessons
""")

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
    """Rows of other courses are read along and play no part: facts are looked up by the course's own lessons."""
    row = reading().execute(_PROGRESS, {"user_id": user_id, "course_id": course.id}).one()
    catalogue = catalogue_cache().compared(row.version)
    course = catalogue.courses.get(course.slug, course)
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
