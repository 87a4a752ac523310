"""What time it is for whom: real time plus an offset, a frozen time per test clock, and moments being
replayed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Seconds since the epoch per *timeline*: None is everybody's, a test clock's id is that of its
    customers.

    Everybody's time runs, shifted by what was advanced; a test clock stands still until it is advanced.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.offset_seconds = 0
        self.frozen: dict[str, int] = {}
        self._replayed: dict[str | None, int] = {}

    def now(self, timeline: str | None = None) -> int:
        if timeline in self._replayed:
            return self._replayed[timeline]
        if timeline is not None:
            return self.frozen[timeline]
        return int(self._wall()) + self.offset_seconds

    def move_to(self, moment: int, timeline: str | None = None) -> None:
        """Make it `moment` on that timeline, from now on. Going back is refused by raising ValueError."""
        if moment < self.now(timeline):
            raise ValueError(f"{moment} lies before {self.now(timeline)}: time is only advanced")
        if timeline is None:
            self.offset_seconds = moment - int(self._wall())
        else:
            self.frozen[timeline] = moment

    @contextmanager
    def at(self, moment: int, timeline: str | None) -> Iterator[None]:
        """Within the block it is `moment` there: what was due then happens at its own time."""
        self._replayed[timeline] = moment
        try:
            yield
        finally:
            del self._replayed[timeline]
