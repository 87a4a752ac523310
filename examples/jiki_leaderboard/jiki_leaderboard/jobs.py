"""What the leaderboard does by itself."""

from __future__ import annotations

from jiki_core.db import UnitOfWork

from jiki_leaderboard.queries.standings import standings
from jiki_leaderboard.weeks import week_before, week_of

CROWNED = 3


def crown_winners(uow: UnitOfWork) -> None:
    """Tells the best of last week that they are."""
    week = week_before(week_of(uow.now))
    for one in standings(week, CROWNED):
        data = {"place": one.place, "points": one.points, "week": week.isoformat()}
        uow.notify(one.user_id, "leaderboard.crowned", data)
