"""What one request costs, by plugin: time in each plugin's hooks and answers, statements and the time they took.

Collected in a context variable while a request runs; development shows it in `Server-Timing`, metrics in histograms.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field

from jiki_core.observability.metrics import before_rendering, counter

_hook_calls = counter("jiki_plugin_hook_calls_total", "Calls of a plugin's hook or answer", ["plugin", "hook"])
_hook_seconds = counter("jiki_plugin_hook_seconds_total", "Time in a plugin's hook or answer", ["plugin", "hook"])
#: how long a process may keep to itself what it has counted
_HAND_IN_SECONDS = 1.0


@dataclass(slots=True)
class Costs:
    """Of one request so far. Times are seconds."""

    statements: int = 0
    statement_seconds: float = 0.0
    by_plugin: dict[str, float] = field(default_factory=dict)

    def server_timing(self, owner: str, total: float) -> str:
        """The header's value (W3C Server-Timing, durations in milliseconds)."""
        parts = [f'{owner};desc="total";dur={total * 1000:.1f}']
        noun = "statement" if self.statements == 1 else "statements"
        parts.append(f'db;desc="{self.statements} {noun}";dur={self.statement_seconds * 1000:.1f}')
        parts += [f"hooks-{name};dur={spent * 1000:.2f}" for name, spent in sorted(self.by_plugin.items())]
        return ", ".join(parts)


_current: ContextVar[Costs | None] = ContextVar("jiki_costs", default=None)


def start_costs() -> Token[Costs | None]:
    """Begins to count for this request; give the token to `stop_costs`."""
    return _current.set(Costs())


def stop_costs(token: Token[Costs | None]) -> None:
    _current.reset(token)


def current_costs() -> Costs | None:
    """Of the request that runs now, if one does."""
    return _current.get()


class HookCost:
    """Calls of one plugin's hook and their time, of this process.

    A request may ask fifty plugins, so a call costs two additions here; the metrics get the sums once a second and before
    they are shown. Two threads may lose each other's addition: these are figures on costs, not accounts.
    """

    __slots__ = ("_calls", "_handed_in", "_seconds", "count", "plugin", "spent")

    def __init__(self, plugin: str, hook: str) -> None:
        self.plugin = plugin
        self.count = 0
        self.spent = 0.0
        self._handed_in = 0.0
        self._calls = _hook_calls.labels(plugin, hook)
        self._seconds = _hook_seconds.labels(plugin, hook)

    def add(self, seconds: float, now: float) -> None:
        """One call; `now` is on `time.perf_counter`."""
        self.count += 1
        self.spent += seconds
        if now - self._handed_in > _HAND_IN_SECONDS:
            self._handed_in = now
            self.hand_in()

    def hand_in(self) -> None:
        count, spent, self.count, self.spent = self.count, self.spent, 0, 0.0
        self._calls.inc(count)
        self._seconds.inc(spent)


_costs: dict[tuple[str, str], HookCost] = {}


def cost_of(plugin: str, hook: str) -> HookCost:
    """The one of this plugin and hook."""
    return _costs.setdefault((plugin, hook), HookCost(plugin, hook))


def _hand_in_all() -> None:
    for cost in list(_costs.values()):
        cost.hand_in()


before_rendering(_hand_in_all)


@contextmanager
def charged(plugin: str, hook: str) -> Iterator[None]:
    """Charges the time of a block to a plugin."""
    started = time.perf_counter()
    try:
        yield
    finally:
        now = time.perf_counter()
        spent = now - started
        cost_of(plugin, hook).add(spent, now)
        costs = _current.get()
        if costs is not None:
            costs.by_plugin[plugin] = costs.by_plugin.get(plugin, 0.0) + spent
