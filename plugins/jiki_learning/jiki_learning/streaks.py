"""Active days and streaks (contract.md 3.16), counted in the learner's own days.

A day is active when a lesson or a challenge was completed or a submission stored on it. Only such days are recorded; a
day without a record, once it is over, broke the streak.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ONE_DAY = timedelta(days=1)


class Day(IntEnum):
    """What a recorded day was (the values are stored: contract.md 4.2, whose 1 is a day that is not recorded)."""

    ACTIVE = 2
    #: a day off that does not break the streak; nothing grants one yet
    FREEZE = 3


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


def streak_at_risk(days: Mapping[date, Day], moment: datetime, zone: tzinfo, *, from_hour: int) -> int:
    """The length of a streak that ends unless something is done today; 0 before that hour of the learner's day, when today
    is active already, and without a streak."""
    local = moment.astimezone(zone)
    today = local.date()
    if local.hour < from_hour or today in days:
        return 0
    return summarise(days, today).current


def summarise(days: Mapping[date, Day], today: date) -> StreakSummary:
    """Streaks as of `today`, which need not be recorded: yesterday's streak lives until today is over."""
    total = sum(kind is Day.ACTIVE for kind in days.values())
    runs = list(_runs(days))
    longest = max((length for _, length in runs), default=0)
    last_day, length = runs[-1] if runs else (date.min, 0)
    return StreakSummary(length if last_day >= today - _ONE_DAY else 0, longest, total)


def _runs(days: Mapping[date, Day]) -> Iterator[tuple[date, int]]:
    """Each unbroken run of recorded days, oldest first, as (its last day, its length)."""
    length = 0
    for day in sorted(days):
        length += 1
        if day + _ONE_DAY not in days:
            yield day, length
            length = 0
