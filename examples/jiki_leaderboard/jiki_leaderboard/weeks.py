"""Weeks begin on Monday, UTC. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta


def week_of(moment: datetime) -> date:
    """The Monday of a moment (aware, UTC)."""
    return moment.date() - timedelta(days=moment.weekday())


def week_before(monday: date) -> date:
    return monday - timedelta(days=7)
