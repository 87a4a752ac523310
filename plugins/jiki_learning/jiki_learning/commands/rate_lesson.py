"""What a learner says of a lesson, and how much of its walkthrough was watched."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, update

from jiki_core.db import UnitOfWork
from jiki_learning.catalogue import CatalogueLesson
from jiki_learning.commands.learner import lock_enrolment
from jiki_learning.errors import UserLessonNotFound
from jiki_learning.models import UserCourse, UserLesson
from jiki_learning.queries.catalogue import current_catalogue, find_lesson


def rate_lesson(uow: UnitOfWork, user_id: int, slug: str, difficulty: int | None, fun: int | None) -> None:
    """Overwrites both ratings (contract.md 3.7). Raises LessonNotFound, UserLessonNotFound."""
    _update(uow, user_id, find_lesson(slug), difficulty_rating=difficulty, fun_rating=fun)


def record_walkthrough(uow: UnitOfWork, user_id: int, slug: str, percentage: int) -> None:
    """Clamped to 0..100; never goes down. Raises LessonNotFound, UserLessonNotFound."""
    lesson = find_lesson(slug)
    watched = func.greatest(UserLesson.walkthrough_video_watched_percentage, max(0, min(100, percentage)))
    lock_enrolment(uow, user_id, current_catalogue().course_of(lesson))
    _update(uow, user_id, lesson, walkthrough_video_watched_percentage=watched)
    uow.session.execute(
        update(UserCourse)
        .where(UserCourse.user_id == user_id, UserCourse.course_id == current_catalogue().course_of(lesson).id)
        .values(revision=UserCourse.revision + 1)
    )


def _update(uow: UnitOfWork, user_id: int, lesson: CatalogueLesson, **values: Any) -> None:
    found = uow.session.execute(
        update(UserLesson)
        .where(UserLesson.user_id == user_id, UserLesson.lesson_id == lesson.id)
        .values(**values)
        .returning(UserLesson.id)
    ).scalar_one_or_none()
    if found is None:
        raise UserLessonNotFound()
