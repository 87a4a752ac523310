"""The metrics registry of a process and its rendering, over several processes when gunicorn asks for that.

Names follow prometheus.io's conventions; label values come from enums and route templates, never from users.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

#: OpenTelemetry's advice for durations in seconds (trust.md 3.2)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

_metrics: dict[str, Counter | Gauge | Histogram] = {}
_before_rendering: list[Callable[[], None]] = []
M = TypeVar("M", Counter, Gauge, Histogram)


def counter(name: str, help: str, labels: Sequence[str] = ()) -> Counter:
    """A counter; asking again for the same name returns the same one."""
    return _once(Counter, name, lambda: Counter(name, help, labels))


def gauge(name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
    """A gauge, summed over the living processes."""
    return _once(Gauge, name, lambda: Gauge(name, help, labels, multiprocess_mode="livesum"))


def histogram(name: str, help: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS) -> Histogram:
    """A histogram; buckets in the unit that the name ends in."""
    return _once(Histogram, name, lambda: Histogram(name, help, labels, buckets=tuple(buckets)))


def _once(kind: type[M], name: str, make: Callable[[], M]) -> M:
    found = _metrics.get(name)
    if found is None:
        found = _metrics[name] = make()
    if not isinstance(found, kind):
        raise TypeError(f"the metric {name} is a {type(found).__name__} already, not a {kind.__name__}")
    return found


def before_rendering(call: Callable[[], None]) -> None:
    """`call` hands in what it has counted by itself, before each exposition of this process."""
    _before_rendering.append(call)


def render() -> tuple[bytes, str]:
    """The exposition text and its content type; sums all processes when PROMETHEUS_MULTIPROC_DIR is set."""
    for call in _before_rendering:
        call()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
        return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
