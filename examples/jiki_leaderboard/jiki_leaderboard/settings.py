"""`[leaderboard]` of jiki.toml."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.settings import setting


@dataclass(frozen=True)
class LeaderboardSettings:
    points_per_lesson: int = setting(10, help="Points for a completed lesson", minimum=1, example="10")
    places: int = setting(20, help="How many learners the list shows", minimum=1, maximum=100, example="20")
