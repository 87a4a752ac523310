"""Access to a learner's progress for writing: the enrolment is locked first, always, then everything else is read.

All progress of a learner in a course changes under that one row lock, so parallel requests queue and cannot deadlock.
"""

from __future__ import annotations

from datetime import date, datetime

from jiki_core.db import UnitOfWork
from sqlalchemy import select, text

from jiki_learning.catalogue import CatalogueCourse
from jiki_learning.events import CourseCompleted, LevelCompleted
from jiki_learning.models import UserCourse
from jiki_learning.progression import Advance, Progress
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
    )
    update learning.user_courses
    set revision = revision + 1,
        completed_at = case when :is_course_complete then coalesce(completed_at, :now) else completed_at end
    where user_id = :user_id and course_id = :course_id
    returning (select id from lesson) as user_lesson_id, (select array_agg(concept_id) from concepts) as concept_ids
""").columns()


def lock_progress(uow: UnitOfWork, user_id: int, course: CatalogueCourse) -> CourseProgress:
    """Locks the enrolment, if there is one, and reads what the learner has reached since.

    Two statements, because one that waits for the lock would read the other rows as they were before the wait.
    """
    uow.session.execute(
        select(UserCourse.id)
        .where(UserCourse.user_id == user_id, UserCourse.course_id == course.id)
        .with_for_update()
    )
    return course_progress(user_id, course)


class Written:
    """Placeholder type replaced below."""
