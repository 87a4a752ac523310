"""Learning tells of completed lessons; each delivery is one durable job with exactly one effect."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from jiki_core.db import UnitOfWork
from jiki_core.runtime import runtime
from jiki_learning.events import LessonCompleted

from jiki_leaderboard.commands.add_points import add_points
from jiki_leaderboard.settings import LeaderboardSettings


def count_lesson(uow: UnitOfWork, event: LessonCompleted) -> None:
    """Counted in the week of the completion, however late the delivery is."""
    settings = cast(LeaderboardSettings, runtime().plugin_settings["leaderboard"])
    add_points(uow, event.user_id, settings.points_per_lesson, at=datetime.fromisoformat(event.completed_at))
