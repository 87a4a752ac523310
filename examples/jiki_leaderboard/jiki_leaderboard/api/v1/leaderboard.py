"""`internal/leaderboard`: this week's standings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.runtime import runtime
from jiki_core.security import me

from jiki_leaderboard.permissions import LOOK
from jiki_leaderboard.queries.standings import standings
from jiki_leaderboard.schemas import LeaderboardReply
from jiki_leaderboard.settings import LeaderboardSettings
from jiki_leaderboard.weeks import week_of

blp = Blueprint("leaderboard", __name__, url_prefix="/leaderboard", description="The week's best learners")


@blp.route("")
@policy(LOOK)
@blp.response(200, LeaderboardReply)
def show() -> Reply:
    """The best of this week; `is_me` marks the caller."""
    settings = cast(LeaderboardSettings, runtime().plugin_settings["leaderboard"])
    week = week_of(datetime.now(UTC))
    lines = [
        {
            "place": one.place,
            "handle": one.handle,
            "points": one.points,
            "is_premium": one.is_premium,
            "is_me": one.user_id == me().user_id,
        }
        for one in standings(week, settings.places)
    ]
    return reply({"week": week.isoformat(), "standings": lines})
