"""Takes a learner's progress in a course back to the day of enrolment, for support and for testers."""

from __future__ import annotations

from sqlalchemy import delete, select

from jiki_core.db import UnitOfWork
from jiki_learning.commands.enrol import enrol
from jiki_learning.commands.learner import lock_enrolment
from jiki_learning.models import Lesson, Level, UnlockEdge, UserConcept, UserCourse, UserLesson, UserLevel
from jiki_learning.queries.catalogue import find_course


def reset_progress(uow: UnitOfWork, user_id: int, course_slug: str) -> int:
    """Deletes lessons, submissions, levels and unlocked concepts of the course, and enrols again. Badges, streaks and
    conversations stay. Returns how many lessons were deleted. Raises CourseNotFound."""
    course = find_course(course_slug)
    lock_enrolment(uow, user_id, course)
    level_ids = select(Level.id).where(Level.course_id == course.id)
    lesson_ids = select(Lesson.id).where(Lesson.level_id.in_(level_ids))
    concept_ids = select(UnlockEdge.concept_id).where(
        UnlockEdge.lesson_id.in_(lesson_ids), UnlockEdge.concept_id.is_not(None)
    )
    deleted = uow.session.scalars(
        delete(UserLesson)
        .where(UserLesson.user_id == user_id, UserLesson.lesson_id.in_(lesson_ids))
        .returning(UserLesson.id)
    ).all()
    uow.session.execute(delete(UserLevel).where(UserLevel.user_id == user_id, UserLevel.level_id.in_(level_ids)))
    uow.session.execute(
        delete(UserConcept).where(UserConcept.user_id == user_id, UserConcept.concept_id.in_(concept_ids))
    )
    uow.session.execute(delete(UserCourse).where(UserCourse.user_id == user_id, UserCourse.course_id == course.id))
    enrol(uow, user_id, course_slug)
    uow.audit(
        "progress:reset",
        target_type="user",
        target_id=user_id,
        before={"course": course_slug, "lessons": len(deleted)},
        plugin="learning",
    )
    return len(deleted)
