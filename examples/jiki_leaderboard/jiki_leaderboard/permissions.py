"""Every learner may look."""

from __future__ import annotations

from jiki_core.security import Permission

LOOK = "leaderboard.look"
PERMISSIONS = [Permission(LOOK, "See the week's leaderboard", roles=("learner",))]
