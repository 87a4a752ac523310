"""Suspension: a job or listener that only fails is held, so that it hurts nobody but itself, until an operator looks."""

from __future__ import annotations

import threading

from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.plugins.runtime_state import PluginSuspension, announce_change

#: failures of one job or listener in one process, without a success between, that suspend it
FAILURES_IN_A_ROW = 20


class FailureCounts:
    """Failures in a row by name, of one process."""

    def __init__(self, limit: int = FAILURES_IN_A_ROW) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def fail(self, name: str) -> bool:
        """Counts one failure; True when it was one too many, and the count starts over."""
        with self._lock:
            count = self._counts.get(name, 0) + 1
            self._counts[name] = 0 if count >= self._limit else count
            return count >= self._limit

    def succeed(self, name: str) -> None:
        if name in self._counts:
            with self._lock:
                self._counts.pop(name, None)


def suspend(uow: UnitOfWork, plugin: str, kind: str, name: str, *, reason: str) -> None:
    """Holds a job, listener or channel everywhere; `flask plugins resume PLUGIN` lifts it. Audited once."""
    is_new = uow.session.execute(
        insert(PluginSuspension)
        .values(kind=kind, name=name, plugin=plugin, reason=reason, suspended_at=uow.now)
        .on_conflict_do_nothing()
        .returning(PluginSuspension.name)
    ).scalar_one_or_none()
    if is_new is None:
        return
    uow.audit(f"{kind}:suspended", target_type=kind, target_id=name, reason=reason, plugin=plugin)
    announce_change(uow)
