"""Access to a learner's progress for writing: the enrolment is locked first, always, then everything else is read.

All progress of a learner in a course changes under that one row lock, so parallel requests queue and cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, text

from jiki_core.db import UnitOfWork
from jiki_learning.catalogue import CatalogueCourse
from jiki_learning.events import CourseCompleted, LevelCompleted
from jiki_learning.models import UserCourse
from jiki_learning.progression import Advance
from jiki_learning.queries.progress import CourseProgress, course_progress
from jiki_learning.queries.zones import zone_of
from jiki_learning.streaks import local_day

_WRITE = text("""
    with lesson as (
        insert into learning.user_lessons as mine (user_id, lesson_id, started_at, completed_at)
        select cast(:user_id as bigint), cast(:lesson_id as bigint), :now, case when :is_completed then :now end
        where cast(:lesson_id as bigint) is not null
        on conflict (user_id, lesson_id)
            do update set completed_at = coalesce(mine.completed_at, excluded.completed_at)
        returning id
    ), levels as (
        insert into learning.user_levels as mine (user_id, level_id, started_at, completed_at)
        select :user_id, one.id, :now, case when one.is_complete then :now end
        from unnest(cast(:level_ids as bigint[]), cast(:levels_complete as boolean[])) as one(id, is_complete)
        on conflict (user_id, level_id)
            do update set completed_at = coalesce(mine.completed_at, excluded.completed_at)
    ), concepts as (
        insert into learning.user_concepts (user_id, concept_id, unlocked_at)
        select :user_id, one.id, :now from unnest(cast(:concept_ids as bigint[])) as one(id)
        on conflict do nothing
        returning concept_id
    ), activity as (
        insert into learning.activity_days as mine (user_id, day, kind)
        select :user_id, cast(:day as date), 2 where cast(:day as date) is not null
        on conflict (user_id, day) do update set kind = excluded.kind where mine.kind <> excluded.kind
    ), enrolment as (
        update learning.user_courses
        set revision = revision + 1,
            completed_at = case when :is_course_complete then coalesce(completed_at, :now) else completed_at end
        where user_id = :user_id and course_id = :course_id
    )
    select (select id from lesson) as user_lesson_id, (select array_agg(concept_id) from concepts) as concept_ids
""")


def lock_enrolment(uow: UnitOfWork, user_id: int, course: CatalogueCourse) -> None:
    """Locks the enrolment, if there is one. Everything that changes a learner's progress in a course begins with it."""
    uow.session.execute(
        select(UserCourse.id).where(UserCourse.user_id == user_id, UserCourse.course_id == course.id).with_for_update()
    )


def lock_progress(uow: UnitOfWork, user_id: int, course: CatalogueCourse) -> CourseProgress:
    """Locks the enrolment, then reads what the learner has reached.

    Two statements, because one that waits for the lock would read the other rows as they were before the wait.
    """
    lock_enrolment(uow, user_id, course)
    return course_progress(user_id, course)


@dataclass(frozen=True, slots=True)
class LessonMark:
    """The learner's row of a lesson that an act starts or completes."""

    lesson_id: int
    is_completed: bool


@dataclass(frozen=True, slots=True)
class Written:
    """`user_lesson_id`: of the marked lesson, None without one. `new_concept_ids`: those that were locked before."""

    user_lesson_id: int | None
    new_concept_ids: frozenset[int]


def write_advance(
    uow: UnitOfWork,
    user_id: int,
    progress: CourseProgress,
    advance: Advance,
    *,
    mark: LessonMark | None = None,
    concept_ids: Iterable[int] = (),
    is_active_day: bool = False,
) -> Written:
    """Writes what an act changes, in one statement, and emits what other plugins and jobs hear of it.

    The caller holds the lock of `lock_progress`. `is_active_day` counts today, by the learner's clock, for streaks.
    """
    touched = {level.id: False for level in advance.levels_opened}
    touched.update({level.id: True for level in advance.levels_completed})
    row = uow.session.execute(
        _WRITE,
        {
            "user_id": user_id,
            "course_id": progress.course.id,
            "now": uow.now,
            "lesson_id": mark.lesson_id if mark else None,
            "is_completed": mark.is_completed if mark else False,
            "level_ids": list(touched),
            "levels_complete": list(touched.values()),
            "concept_ids": list(concept_ids),
            "day": local_day(uow.now, zone_of(user_id)) if is_active_day else None,
            "is_course_complete": advance.is_course_complete,
        },
    ).one()
    for level in advance.levels_completed:
        uow.emit(LevelCompleted(user_id, progress.course.slug, level.id, level.slug))
    if advance.is_course_complete and progress.completed_at is None:
        uow.emit(CourseCompleted(user_id, progress.course.slug))
    return Written(row.user_lesson_id, frozenset(row.concept_ids or ()))


def is_overdue(progress: CourseProgress, advance: Advance) -> bool:
    """Whether an act that marks no lesson changes any row."""
    is_newly_complete = advance.is_course_complete and progress.completed_at is None
    return bool(advance.levels_opened or advance.levels_completed or is_newly_complete)
