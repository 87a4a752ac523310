"""What the leaderboard keeps about a person."""

from __future__ import annotations

from jiki_core.plugins import PersonalTable

PERSONAL_DATA = [PersonalTable("weekly_scores", "user_id", export=("week", "points"))]
