"""The leaderboard's table."""

from jiki_leaderboard.models.weekly_score import WeeklyScore

__all__ = ["WeeklyScore"]
