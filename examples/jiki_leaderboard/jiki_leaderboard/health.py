"""Whether the leaderboard has what it needs: cross-checks at boot, and what operators are told while it runs."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from jiki_core.contracts import Accounts, ask
from jiki_core.runtime import runtime_of

from jiki_leaderboard.permissions import PERMISSIONS
from jiki_leaderboard.queries.standings import standings
from jiki_leaderboard.weeks import week_before, week_of


class NobodyMayLook(Exception):
    """A role that a permission names is declared by no plugin, so that the list would be closed to all."""


def check_audience(app: Flask) -> None:
    """Raises NobodyMayLook."""
    known = runtime_of(app).roles
    missing = sorted({role for permission in PERMISSIONS for role in permission.roles if role not in known})
    if missing:
        raise NobodyMayLook(f"no plugin declares the role {', '.join(missing)}")


def winners_are_crowned() -> str | None:
    """The best of last week can be told only while somebody knows who they are."""
    best = standings(week_before(week_of(datetime.now(UTC))), 1)
    if best and not ask(Accounts).get_many([best[0].user_id]):
        return "the account of last week's winner is not known; is auth paused?"
    return None
