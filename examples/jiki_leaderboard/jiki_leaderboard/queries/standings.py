"""The standings of a week, with what other plugins know of the learners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from jiki_core.contracts import Accounts, Entitlements, ask
from jiki_core.db import reading
from sqlalchemy import select

from jiki_leaderboard.models import WeeklyScore


@dataclass(frozen=True, slots=True)
class Standing:
    """One line. `is_premium` is what payments says; without payments every learner has everything."""

    place: int
    user_id: int
    handle: str
    points: int
    is_premium: bool


def standings(week: date, limit: int) -> list[Standing]:
    """The best first; who came to the points first by id stands first. As many queries for one learner as for a hundred."""
    scores = (
        reading()
        .execute(
            select(WeeklyScore.user_id, WeeklyScore.points)
            .where(WeeklyScore.week == week)
            .order_by(WeeklyScore.points.desc(), WeeklyScore.user_id)
            .limit(limit)
        )
        .all()
    )
    ids = [row.user_id for row in scores]
    handles = {account.id: account.handle for account in ask(Accounts).get_many(ids)}
    premium = ask(Entitlements).check_many("premium", ids)
    return [
        Standing(place, row.user_id, handles.get(row.user_id, ""), row.points, premium.get(row.user_id, False))
        for place, row in enumerate(scores, 1)
    ]
