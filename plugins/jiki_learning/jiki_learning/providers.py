"""Answers of learning to the core's questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jiki_core.contracts.core import Shape
from jiki_core.db import UnitOfWork
from jiki_learning.badge_rules import BadgeCheck
from jiki_learning.commands.enrol import enrol_by_default
from jiki_learning.jobs import check_badges
from jiki_learning.queries.milestone_texts import NAMESPACE, milestone_messages
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.queries.streaks import streaks_of


class NewLearners:
    """Answers `AccountSetup`: enrols a new account in the default course and looks at the badges of newcomers."""

    def prepare(self, uow: UnitOfWork, user_id: int) -> bool:
        enrol_by_default(uow, user_id, learning_settings().default_course_slug)
        uow.enqueue(
            check_badges,
            user_id=user_id,
            check=BadgeCheck.ACCOUNT_PREPARED.value,
            account_created_at=uow.now.isoformat(),
        )
        return True


class LearnerFields:
    """Answers `AccountFields` for the profile; which of the two it shows is auth's setting (contract.md 2.2)."""

    def fields(self, shape: Shape, user_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        if shape != "profile":
            return {}
        return {
            user_id: {"current_streak": summary.current, "total_active_days": summary.total_active_days}
            for user_id, summary in streaks_of(user_ids).items()
        }


class MilestoneTexts:
    """Answers `TranslatableTexts`: the mails of milestones, which editors write in the admin."""

    def texts(self) -> Mapping[str, Mapping[str, str]]:
        return {NAMESPACE: milestone_messages()}
