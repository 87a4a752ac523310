"""Stores what a learner hands in for a lesson, starting the lesson when it may be started (contract.md 3.8)."""

from __future__ import annotations

from collections.abc import Sequence

from jiki_core.db import UnitOfWork
from jiki_learning.commands.learner import lock_enrolment
from jiki_learning.commands.start_lesson import start_lesson
from jiki_learning.commands.store_submission import accept_submission
from jiki_learning.queries.catalogue import current_catalogue, find_lesson
from jiki_learning.queries.user_lessons import user_lesson_id
from jiki_learning.submission_rules import OfferedFile


def submit_exercise(
    uow: UnitOfWork, user_id: int, slug: str, offered: Sequence[OfferedFile], *, has_passed: bool | None = None
) -> None:
    """Raises LessonNotFound, what `start_lesson` raises, what `check_submission` raises."""
    lesson = find_lesson(slug)
    lock_enrolment(uow, user_id, current_catalogue().course_of(lesson))
    context = user_lesson_id(user_id, lesson.id)
    if context is None:
        context = start_lesson(uow, user_id, slug).user_lesson_id
    accept_submission(uow, user_id, offered, user_lesson_id=context, has_passed=has_passed)
