"""The UserCourse shape (contract.md 2.2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.errors import NotFound
from jiki_learning.models import UserCourse
from jiki_learning.progression import current_level
from jiki_learning.queries.catalogue import find_course
from jiki_learning.queries.progress import CourseProgress, all_progress, course_progress


def user_course_shape(user_id: int, slug: str) -> dict[str, Any]:
    """Raises CourseNotFound, and NotFound for somebody who is not enrolled."""
    progress = course_progress(user_id, find_course(slug))
    if progress.user_course_id is None:
        raise NotFound()
    return _shape(progress)


def user_course_shapes(user_id: int) -> list[dict[str, Any]]:
    """All enrolments in the order of the courses."""
    return [_shape(progress) for progress in all_progress(user_id)]


def chosen_language(user_id: int, course_id: int) -> str | None:
    """The language the learner takes a course in; None before the choice."""
    return (
        reading()
        .execute(select(UserCourse.language).where(UserCourse.user_id == user_id, UserCourse.course_id == course_id))
        .scalar_one_or_none()
    )


def _shape(progress: CourseProgress) -> dict[str, Any]:
    level = current_level(progress.facts) if progress.facts.is_enrolled else None
    return {
        "course_slug": progress.course.slug,
        "language": progress.language,
        "language_chosen": progress.language is not None,
        "current_level_slug": level.slug if level else None,
        "completed": progress.completed_at is not None,
    }
