"""Points for a completed lesson, in the week it was completed in."""

from __future__ import annotations

from datetime import datetime

from jiki_core.db import UnitOfWork
from sqlalchemy.dialects.postgresql import insert

from jiki_leaderboard.channels import STREAM
from jiki_leaderboard.models import WeeklyScore
from jiki_leaderboard.weeks import week_of


def add_points(uow: UnitOfWork, user_id: int, points: int, *, at: datetime) -> int:
    """The learner's points of that week, these included. Tells the channel."""
    week = week_of(at)
    total = uow.session.execute(
        insert(WeeklyScore)
        .values(user_id=user_id, week=week, points=points)
        .on_conflict_do_update(index_elements=["user_id", "week"], set_={"points": WeeklyScore.points + points})
        .returning(WeeklyScore.points)
    ).scalar_one()
    uow.broadcast(STREAM, {"type": "score", "week": week.isoformat(), "points": total})
    return total
