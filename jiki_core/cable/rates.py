"""Token buckets: how often something may happen, with room for a burst."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` times per `per_seconds`, of which `burst` (default: `count`) may come at once."""

    count: float
    per_seconds: float = 1.0
    burst: float | None = None

    def __post_init__(self) -> None:
        if self.count <= 0 or self.per_seconds <= 0 or (self.burst is not None and self.burst < 1):
            raise ValueError("a rate needs a count and a period above zero, and a burst of at least 1")


class TokenBucket:
    """Starts full; one token per act."""

    __slots__ = ("_capacity", "_monotonic", "_per_second", "_tokens", "_updated_at")

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self._per_second = rate.count / rate.per_seconds
        self._capacity = max(1.0, rate.count if rate.burst is None else rate.burst)
        self._tokens = self._capacity
        self._monotonic = monotonic
        self._updated_at = monotonic()

    def take(self) -> bool:
        """Whether the act may happen now."""
        self._refill()
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def seconds_until_next(self) -> float:
        """How long until `take` succeeds; 0 when it would now."""
        self._refill()
        return max(0.0, (1.0 - self._tokens) / self._per_second)

    def _refill(self) -> None:
        now = self._monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._updated_at) * self._per_second)
        self._updated_at = now
