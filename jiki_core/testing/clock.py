"""A clock that stands still until the test moves it, for what depends on the time of day or on time that passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any


class FrozenClock:
    """The time of this process: `datetime.now`, `time.time` and so `uow.now`. PostgreSQL's and Valkey's clocks go on."""

    def __init__(self, traveller: Any) -> None:
        self._traveller = traveller

    @property
    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def move(self, **by: float) -> datetime:
        """`move(hours=2, minutes=30)`, as `timedelta` takes them; returns the time then."""
        self._traveller.shift(timedelta(**by))
        return self.now

    def move_to(self, moment: datetime) -> datetime:
        """To an aware moment; returns it."""
        self._traveller.move_to(moment, tick=False)
        return self.now


@contextmanager
def stopped_clock() -> Iterator[FrozenClock]:
    """Stops the clock at the second it is."""
    import time_machine  # of jiki-core[dev], like all that tests need

    with time_machine.travel(datetime.now(UTC).replace(microsecond=0), tick=False) as traveller:
        yield FrozenClock(traveller)
