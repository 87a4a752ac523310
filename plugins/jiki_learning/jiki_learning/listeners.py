"""What learning does when something has happened; each delivery is a durable job."""

from __future__ import annotations

from typing import Any

from jiki_auth.events import AccountDeleting, SiteVisited
from jiki_core.db import UnitOfWork
from jiki_learning.badge_rules import BadgeCheck
from jiki_learning.commands.award_badges import award_badges, recount_badges
from jiki_learning.commands.enrol import enrol_by_default
from jiki_learning.commands.mail_milestone import mail_milestone, tell_of_milestone
from jiki_learning.events import LessonCompleted, LevelCompleted
from jiki_learning.queries.own_settings import learning_settings


def award_badges_for_lesson(uow: UnitOfWork, event: LessonCompleted) -> None:
    award_badges(uow, event.user_id, BadgeCheck.LESSON_COMPLETED)


def celebrate_level(uow: UnitOfWork, event: LevelCompleted) -> None:
    mail_milestone(uow, event.user_id, event.level_id)
    tell_of_milestone(uow, event.user_id, event.level_slug, event.course_slug)


def award_badges_for_premium(uow: UnitOfWork, event: dict[str, Any]) -> None:
    """`payments.premium_started`, an event of a plugin that may be absent: its payload is a dict."""
    award_badges(uow, event["user_id"], BadgeCheck.BECAME_PREMIUM)


def forget_owner_of_badges(uow: UnitOfWork, event: AccountDeleting) -> None:
    """The rows went with the account; the counters beside them did not."""
    recount_badges(uow)


def enrol_visitor(uow: UnitOfWork, event: SiteVisited) -> None:
    """On somebody's first visit of a day: an account made while learning was off, or lost by an accident, is enrolled."""
    enrol_by_default(uow, event.user_id, learning_settings().default_course_slug)
