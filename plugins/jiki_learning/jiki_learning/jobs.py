"""Jobs of learning."""

from __future__ import annotations

from datetime import datetime

from jiki_core.db import UnitOfWork
from jiki_learning.badge_rules import BadgeCheck


def check_badges(uow: UnitOfWork, user_id: int, check: str, account_created_at: str | None = None) -> None:
    """Awards the badges of one moment (a BadgeCheck); `account_created_at` is ISO 8601."""
    from jiki_learning.commands.award_badges import award_badges  # commands ask for jobs, so jobs import them late

    created_at = datetime.fromisoformat(account_created_at) if account_created_at else None
    award_badges(uow, user_id, BadgeCheck(check), account_created_at=created_at)


def settle_course(uow: UnitOfWork, course_id: int, after_id: int = 0) -> None:
    """Writes what is overdue for a course's learners, a batch at a time."""
    from jiki_learning.commands.settle_learners import settle_learners
    from jiki_learning.queries.catalogue import current_catalogue

    course = current_catalogue().courses_by_id.get(course_id)
    if course is None:
        return
    settled = settle_learners(uow, course, after_id=after_id)
    if settled.last_id is not None:
        uow.enqueue(settle_course, course_id=course_id, after_id=settled.last_id)


def translate_milestone(uow: UnitOfWork, level_id: int, locale: str) -> None:
    """Fetches a level's milestone mail in one language."""
    from jiki_learning.commands.translate_level import fetch_translation

    fetch_translation(uow, level_id, locale)


def sweep_texts(uow: UnitOfWork) -> None:
    """Drops submitted texts that no submission refers to any more, of deleted accounts for example."""
    from jiki_learning.commands.sweep_texts import sweep_unused_texts

    if sweep_unused_texts(uow):
        uow.enqueue(sweep_texts)
