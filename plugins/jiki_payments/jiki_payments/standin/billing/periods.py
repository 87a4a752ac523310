"""Billing periods: calendar months and years counted from an anchor, and shares of a period for
prorations.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta


def boundary(anchor: int, interval: str, count: int, number: int) -> int:
    """The `number`-th boundary after `anchor` (seconds), of periods of `count` intervals (day, week, month,
    year).

    Months keep the anchor's day, or the last one of a shorter month: 31 January, 28 February, 31 March.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in ("day", "week"):
        days = (7 if interval == "week" else 1) * count * number
        return int((start + timedelta(days=days)).timestamp())
    months = (12 if interval == "year" else 1) * count * number + start.month - 1
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def next_boundary(anchor: int, interval: str, count: int, after: int) -> int:
    """The first boundary later than `after`."""
    number = 1
    while (moment := boundary(anchor, interval, count, number)) <= after:
        number += 1
    return moment


def unused_share(amount: int, start: int, end: int, now: int) -> int:
    """The part of `amount` for the time from `now` to `end`, rounded to a minor unit."""
    return 0 if end <= start else round(amount * max(0, min(end - now, end - start)) / (end - start))
