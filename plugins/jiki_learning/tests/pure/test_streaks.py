"""Streaks (contract.md 3.16) as small calendars: one letter a day, ending today.

a = active, f = freeze, . = neither
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_learning.streaks import (
    Day,
    StreakSummary,
    local_day,
    summarise,
    time_zone,
)

TODAY = date(2026, 3, 1)
KINDS = {"a": Day.ACTIVE, "f": Day.FREEZE}


def calendar(days: str) -> dict[date, Day]:
    first = TODAY - timedelta(days=len(days) - 1)
    return {first + timedelta(days=n): KINDS[kind] for n, kind in enumerate(days) if kind in KINDS}


@pytest.mark.parametrize(
    ("days", "current", "longest", "total"),
    [
        ("",         0, 0, 0),
        ("a",        1, 1, 1),
        ("a.",       1, 1, 1),  # today is not over
        ("a..",      0, 1, 1),
        ("aaa",      3, 3, 3),
        ("aaa..",    0, 3, 3),
        ("aaa.a",    1, 3, 4),
        ("a.aa.",    2, 2, 3),
        ("aafa",     4, 4, 3),  # a freeze keeps the streak, and is not an active day
        ("aaf.",     3, 3, 2),
    ],
)  # fmt: skip
def test_streaks_are_read_off_the_calendar(days: str, current: int, longest: int, total: int) -> None:
    assert summarise(calendar(days), TODAY) == StreakSummary(current, longest, total)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 2, 28)),
        ("Asia/Tokyo", date(2026, 3, 1)),
        ("America/Los_Angeles", date(2026, 2, 28)),
        ("Pacific/Kiritimati", date(2026, 3, 1)),
        ("Not/AZone", date(2026, 2, 28)),
        ("../etc/passwd", date(2026, 2, 28)),
        (None, date(2026, 2, 28)),
    ],
)
def test_the_day_is_the_learners_own(zone: str | None, day: date) -> None:
    assert local_day(datetime(2026, 2, 28, 23, 30, tzinfo=UTC), time_zone(zone)) == day


@given(st.sets(st.integers(0, 60)))
def test_every_run_of_days_is_counted(offsets: set[int]) -> None:
    days = {TODAY + timedelta(days=offset): Day.ACTIVE for offset in offsets}
    runs = "".join("a" if n in offsets else " " for n in range(62)).split()
    summary = summarise(days, TODAY + timedelta(days=max(offsets, default=0)))
    assert summary.total_active_days == len(offsets)
    assert summary.longest == max((len(run) for run in runs), default=0)
    assert summary.current == (len(runs[-1]) if runs else 0)
