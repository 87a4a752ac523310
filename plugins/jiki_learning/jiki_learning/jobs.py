"""Jobs of learning."""

from __future__ import annotations

from datetime import datetime

from jiki_core.db import UnitOfWork
from jiki_learning.badge_rules import BadgeCheck
from jiki_learning.commands.award_badges import award_badges


def check_badges(uow: UnitOfWork, user_id: int, check: str, account_created_at: str | None = None) -> None:
    """Awards the badges of one moment (a BadgeCheck); `account_created_at` is ISO 8601."""
    created_at = datetime.fromisoformat(account_created_at) if account_created_at else None
    award_badges(uow, user_id, BadgeCheck(check), account_created_at=created_at)
