"""What one request costs, by plugin: time in each plugin's hooks and answers, statements and the time they took.

Collected in a context variable while a request runs; development shows it in `Server-Timing`, metrics in histograms.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field

from jiki_core.observability.metrics import histogram

_hook_seconds = histogram("jiki_plugin_hook_duration_seconds", "Time in a plugin's hook", ["plugin", "hook"])


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


@contextmanager
def charged(plugin: str, hook: str) -> Iterator[None]:
    """Charges the time of a block to a plugin."""
    started = time.perf_counter()
    try:
        yield
    finally:
        spent = time.perf_counter() - started
        _hook_seconds.labels(plugin, hook).observe(spent)
        costs = _current.get()
        if costs is not None:
            costs.by_plugin[plugin] = costs.by_plugin.get(plugin, 0.0) + spent
