"""Badges as a learner sees them (contract.md 3.15): secret ones not before they are earned."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.http import timestamp
from jiki_learning.models import Badge, UserAcquiredBadge


def badge_list(user_id: int) -> dict[str, Any]:
    """`badges` in the order of their ids, and `num_locked_secret_badges`."""
    rows = (
        reading()
        .execute(
            select(
                Badge.id,
                Badge.slug,
                Badge.is_secret,
                Badge.num_awardees,
                UserAcquiredBadge.is_revealed,
                UserAcquiredBadge.unlocked_at,
            )
            .outerjoin(
                UserAcquiredBadge, (UserAcquiredBadge.badge_id == Badge.id) & (UserAcquiredBadge.user_id == user_id)
            )
            .order_by(Badge.id)
        )
        .all()
    )
    return {
        "badges": [_listed(row) for row in rows if row.unlocked_at is not None or not row.is_secret],
        "num_locked_secret_badges": sum(row.is_secret and row.unlocked_at is None for row in rows),
    }


def acquired_badge_shape(user_id: int, badge_id: int) -> dict[str, Any]:
    """AcquiredBadge of contract.md 2.2, of a badge that the learner has."""
    row = (
        reading()
        .execute(
            select(
                Badge.id, Badge.slug, Badge.num_awardees, UserAcquiredBadge.is_revealed, UserAcquiredBadge.unlocked_at
            )
            .join(UserAcquiredBadge, UserAcquiredBadge.badge_id == Badge.id)
            .where(UserAcquiredBadge.user_id == user_id, Badge.id == badge_id)
        )
        .one()
    )
    return {
        "id": row.id,
        "slug": row.slug,
        "revealed": row.is_revealed,
        "unlocked_at": timestamp(row.unlocked_at),
        "num_awardees": row.num_awardees,
    }


def _listed(row: Any) -> dict[str, Any]:
    listed = {"id": row.id, "slug": row.slug, "state": "locked", "num_awardees": row.num_awardees}
    if row.unlocked_at is None:
        return listed
    state = "revealed" if row.is_revealed else "unrevealed"
    return {**listed, "state": state, "unlocked_at": timestamp(row.unlocked_at)}
