"""A circuit breaker: an outside service that failed several times in a row is left alone for a while.

Per process and thread-safe. After the pause one caller tries; its success closes the circuit again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class CircuitOpen(Exception):
    """The service is being left alone."""


class Breaker:
    """`failures` in a row open the circuit for `seconds`. `clock` gives monotonic seconds."""

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._closed_from = 0.0

    def check(self) -> None:
        """Before a call. Raises CircuitOpen; lets one caller through when the pause is over."""
        with self._lock:
            if self._in_a_row < self._limit:
                return
            if self._clock() < self._closed_from:
                raise CircuitOpen
            self._closed_from = self._clock() + self._seconds

    def succeeded(self) -> None:
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self._limit:
                self._closed_from = self._clock() + self._seconds
