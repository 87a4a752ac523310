"""Streaks, read off the days on which learners were active (contract.md 3.16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from sqlalchemy import select

from jiki_core.db import reading
from jiki_learning.models import ActivityDay
from jiki_learning.queries.zones import zone_of
from jiki_learning.streaks import Day, StreakSummary, local_day, summarise


def streaks_of(user_ids: Sequence[int]) -> dict[int, StreakSummary]:
    """As of each user's own today, so that a broken streak is 0 without anybody having written so."""
    days: dict[int, dict[date, Day]] = {user_id: {} for user_id in user_ids}
    rows = reading().execute(
        select(ActivityDay.user_id, ActivityDay.day, ActivityDay.kind).where(ActivityDay.user_id.in_(list(user_ids)))
    )
    for user_id, day, kind in rows:
        days[user_id][day] = Day(kind)
    now = datetime.now(UTC)
    return {user_id: summarise(found, local_day(now, zone_of(user_id))) for user_id, found in days.items()}
