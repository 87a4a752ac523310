"""Enrols a learner in a course and opens its first level (contract.md 3.7). Repeating it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_learning.catalogue import CatalogueCourse
from jiki_learning.commands.learner import is_overdue, lock_progress, write_advance
from jiki_learning.models import AwaitedEnrolment, UserCourse
from jiki_learning.progression import decide_enrolment
from jiki_learning.queries.catalogue import current_catalogue, find_course
from jiki_learning.unlocks import LessonUnlocked


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`unlocked`: the first lesson, when this opened it."""

    course_slug: str
    unlocked: tuple[LessonUnlocked, ...]


def enrol(uow: UnitOfWork, user_id: int, slug: str) -> Enrolment:
    """Raises CourseNotFound."""
    course = find_course(slug)
    uow.session.execute(
        insert(UserCourse)
        .values(user_id=user_id, course_id=course.id, enrolled_at=uow.now)
        .on_conflict_do_nothing(index_elements=[UserCourse.user_id, UserCourse.course_id])
    )
    return Enrolment(slug, _open_first_level(uow, user_id, course))


def enrol_by_default(uow: UnitOfWork, user_id: int, default_course_slug: str) -> None:
    """Enrols a new account in the default course; before that course is imported, notes that it is to be enrolled."""
    if default_course_slug in current_catalogue().courses:
        enrol(uow, user_id, default_course_slug)
    else:
        uow.session.execute(insert(AwaitedEnrolment).values(user_id=user_id).on_conflict_do_nothing())


def _open_first_level(uow: UnitOfWork, user_id: int, course: CatalogueCourse) -> tuple[LessonUnlocked, ...]:
    progress = lock_progress(uow, user_id, course)
    advance = decide_enrolment(progress.facts)
    if is_overdue(progress, advance):
        write_advance(uow, user_id, progress, advance)
    return tuple(LessonUnlocked(lesson.slug) for lesson in advance.lessons_unlocked)
