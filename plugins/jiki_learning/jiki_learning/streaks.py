"""Active days and streaks (contract.md 3.16), counted in the learner's own days.

A day is active when a lesson was completed or a submission stored on it. Days between two recorded ones
that nothing happened on are recorded too, as `NO_ACTIVITY`, so that a streak can be read off the record
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ONE_DAY = timedelta(days=1)


class Day(IntEnum):
    """What a recorded day was (the values are stored: contract.md 4.2)."""

    NO_ACTIVITY = 1
    ACTIVE = 2
    #: a day off that does not break the streak; nothing grants one yet
    FREEZE = 3

    @property
    def keeps_streak(self) -> bool:
        return self is not Day.NO_ACTIVITY


@dataclass(frozen=True, slots=True)
class StreakSummary:
    """Counts of days. `current` is 0 as soon as a whole day has passed without activity."""

    current: int
    longest: int
    total_active_days: int


def time_zone(name: str | None) -> tzinfo:
    """The zone of that IANA name; UTC for None and for a name that is not, or no longer, known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The learner's calendar day at an aware moment."""
    return moment.astimezone(zone).date()


def record_activity(days: Mapping[date, Day], today: date) -> dict[date, Day]:
    """The record with `today` active and every day since the last recorded one accounted for.

    `today` may lie before the last recorded day, for a learner who has moved west; nothing later is lost.
    """
    return {**backfill(days, today), today: Day.ACTIVE}


def backfill(days: Mapping[date, Day], today: date) -> dict[date, Day]:
    """The record with the days after the last recorded one, up to yesterday, set to no activity."""
    if not days:
        return {}
    missing = _days_between(max(days) + _ONE_DAY, today)
    return {**days, **dict.fromkeys(missing, Day.NO_ACTIVITY)}


def summarise(days: Mapping[date, Day], today: date) -> StreakSummary:
    """Streaks as of `today`, which need not be recorded: yesterday's streak lives until today is over."""
    total = sum(kind is Day.ACTIVE for kind in days.values())
    runs = list(_runs(days))
    longest = max((length for _, length in runs), default=0)
    last_day, length = runs[-1] if runs else (date.min, 0)
    return StreakSummary(length if last_day >= today - _ONE_DAY else 0, longest, total)


def _runs(days: Mapping[date, Day]) -> Iterator[tuple[date, int]]:
    """Each unbroken run of days that keep a streak, oldest first, as (its last day, its length)."""
    kept = sorted(day for day, kind in days.items() if kind.keeps_streak)
    length = 0
    for day in kept:
        length += 1
        if day + _ONE_DAY not in days or not days[day + _ONE_DAY].keeps_streak:
            yield day, length
            length = 0


def _days_between(first: date, end: date) -> Iterator[date]:
    """`first` up to, but not including, `end`."""
    return (first + timedelta(days=offset) for offset in range((end - first).days))
