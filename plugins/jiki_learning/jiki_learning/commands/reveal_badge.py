"""Reveals a badge to the one who earned it (contract.md 3.15); again is no change."""

from __future__ import annotations

from sqlalchemy import update

from jiki_core.db import UnitOfWork
from jiki_learning.errors import BadgeNotFound
from jiki_learning.models import UserAcquiredBadge


def reveal_badge(uow: UnitOfWork, user_id: int, badge_id: int) -> None:
    """Raises BadgeNotFound for a badge that the learner has not earned."""
    revealed = uow.session.execute(
        update(UserAcquiredBadge)
        .where(UserAcquiredBadge.user_id == user_id, UserAcquiredBadge.badge_id == badge_id)
        .values(is_revealed=True)
        .returning(UserAcquiredBadge.badge_id)
    ).scalar_one_or_none()
    if revealed is None:
        raise BadgeNotFound()
