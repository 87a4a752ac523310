"""Schedules as jobs declare them: a cron line in a time zone, and what to do about ticks that nobody was there for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError, croniter

CatchUp = Literal["latest", "all", "none"]
#: a tick that is noticed later than this was missed
MISSED_AFTER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Schedule:
    """`cron` has five fields: minute, hour, day of month, month, day of week.

    In the night when clocks go forward, a time that does not exist comes at the moment they do; in the one when they go
    back, a fixed time comes once, and `*` hours go on through both.
    """

    cron: str
    timezone: str = "UTC"
    #: after an outage: run once for the latest missed tick, once for each of them, or wait for the next
    catch_up: CatchUp = "latest"

    def mistakes(self) -> list[str]:
        """Sentences that continue "the schedule of the job x"; empty when all is well."""
        found = []
        if len(self.cron.split()) != 5 or not croniter.is_valid(self.cron):
            found.append(f"has the cron line {self.cron!r}; it needs five fields, such as '*/15 * * * *'")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            found.append(f"names the time zone {self.timezone!r}; use one such as 'Europe/Berlin'")
        if not found and self._never_comes():
            found.append(f"has the cron line {self.cron!r}, a day that never comes")
        if self.catch_up not in ("latest", "all", "none"):
            found.append(f"has the catch-up {self.catch_up!r}; there are latest, all and none")
        return found

    def _never_comes(self) -> bool:
        """Whether it names a day of a month that has none such, such as the 30th of February."""
        _, _, day, month, _ = self.cron.split()
        if "*" in (day, month):
            return False
        try:
            self.next_after(datetime.now(UTC))
        except CroniterBadDateError:
            return True
        return False

    def ticks_after(self, moment: datetime) -> Iterator[datetime]:
        """Every tick later than `moment` (aware), in order, without end."""
        clock = croniter(self.cron, moment.astimezone(ZoneInfo(self.timezone)))
        while True:
            tick: datetime = clock.get_next(datetime)
            if not self._is_repeated(tick):
                yield tick

    def next_after(self, moment: datetime) -> datetime:
        return next(self.ticks_after(moment))

    def latest_at(self, moment: datetime) -> datetime:
        """The last tick that is not later than `moment` (aware).

        Looks forward from ever earlier: croniter's way back misses ticks of lists such as "5,50 2", and then looks
        through thousands of years.
        """
        at, window = moment.astimezone(UTC), timedelta(hours=1)
        while True:
            gone_by = deque(takewhile(lambda tick: tick <= at, self.ticks_after(at - window)), maxlen=1)
            if gone_by:
                return gone_by[0]
            window *= 4

    def _is_repeated(self, tick: datetime) -> bool:
        """Whether a fixed wall time comes for the second time."""
        return bool(tick.fold) and not self.cron.split()[1].startswith("*")
