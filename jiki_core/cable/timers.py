"""One thread per process that calls short functions at their time: pings, expiries, stalled writers,
closings."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable

from jiki_core.cable.clock import SYSTEM_CLOCK, Clock
from jiki_core.observability import get_logger

log = get_logger(__name__)
#: how late a call may come
_MOMENT_SECONDS = 0.02


class Timer:
    """One call to come; `cancel` makes it none."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Timers:
    """A heap of calls. The thread starts with the first call of a process, hence after a fork."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, *, has_thread: bool = True) -> None:
        self._monotonic = clock.monotonic
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._has_thread = has_thread
        self._process: int | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Ends the thread; nothing is called afterwards."""
        with self._changed:
            self._is_stopped = True
            self._heap.clear()
            self._changed.notify()

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """`call` must be short and must not wait; an error in it is logged."""
        timer = Timer(call)
        due = self._monotonic() + seconds
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._order), timer))
            if self._has_thread and self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._run, name="cable-timers", daemon=True).start()
            elif self._heap[0][2] is timer:
                self._changed.notify()
        return timer

    def run_due(self) -> None:
        """Calls what is due, in the calling thread."""
        while True:
            with self._changed:
                if not self._heap or self._heap[0][0] > self._monotonic():
                    return
                call = heapq.heappop(self._heap)[2].call
            if call is not None:
                try:
                    call()
                except Exception:
                    log.exception("cable_timer_failed")

    def _run(self) -> None:
        while True:
            self.run_due()
            with self._changed:
                if self._is_stopped:
                    return
                wait = self._heap[0][0] - self._monotonic() if self._heap else None
                if wait is None or wait > _MOMENT_SECONDS:
                    self._changed.wait(wait)
                    continue
            # wakes not for each of thousands of pings, but for all of the next moment at once
            time.sleep(_MOMENT_SECONDS)


class Errands:
    """One thread per process for what may wait for Valkey or the database and belongs to no single
    command."""

    def __init__(self, *, has_thread: bool = True) -> None:
        self._pending: list[Callable[[], None]] = []
        self._changed = threading.Condition()
        self._has_thread = has_thread
        self._process: int | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Ends the thread, after what it is at."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()

    def submit(self, call: Callable[[], None]) -> None:
        """Runs `call` soon, after those submitted before; an error in it is logged."""
        with self._changed:
            self._pending.append(call)
            if self._has_thread and self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._run, name="cable-errands", daemon=True).start()
            self._changed.notify()

    def run_pending(self) -> None:
        """Runs all that is submitted by now, in the calling thread."""
        with self._changed:
            calls, self._pending = self._pending, []
        for call in calls:
            try:
                call()
            except Exception:
                log.exception("cable_errand_failed")

    def _run(self) -> None:
        while not self._is_stopped:
            self.run_pending()
            with self._changed:
                if not self._pending and not self._is_stopped:
                    self._changed.wait()
