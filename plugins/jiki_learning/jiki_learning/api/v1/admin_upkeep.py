"""`admin/seeds` and `admin/analytics/exercises` (contract.md 2.6)."""

from __future__ import annotations

from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, policy, rate_class, reply
from jiki_learning.admin_schemas import ExerciseAnalyticsReply, SeededReply
from jiki_learning.exercise_health import exercise_health, insights
from jiki_learning.queries.exercise_health import exercise_counts
from jiki_learning.seeds import bundled_course

seeds = Blueprint("seeds", __name__, url_prefix="/seeds", description="Bring the bundled course up to date")
analytics = Blueprint("analytics", __name__, url_prefix="/analytics", description="How exercises do")


@seeds.route("", methods=["POST"])
@policy("learning.edit_content")
@seeds.response(200, SeededReply)
@rate_class("expensive")
def create() -> Reply:
    """Imports the course that ships with Jiki; again is no change."""
    with unit_of_work() as uow:
        bundled_course(uow)
    return reply({"success": True})


@analytics.route("/exercises")
@policy("learning.see_analytics")
@analytics.response(200, ExerciseAnalyticsReply)
@rate_class("expensive")
def exercises() -> Reply:
    """Health of every exercise, and what is worth a look."""
    healths = [exercise_health(counts) for counts in exercise_counts()]
    return reply(
        {
            "insights": [insight.as_json() for insight in insights(healths)],
            "exercises": [health.as_json() for health in healths],
        }
    )
