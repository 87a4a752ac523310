"""Counts the statements of a request, on every engine of the process."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, event

from jiki_core.observability.costs import current_costs


@event.listens_for(Engine, "before_cursor_execute")
def _begin(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    costs = current_costs()
    if costs is not None and context is not None:
        context.jiki_started = time.perf_counter()


@event.listens_for(Engine, "after_cursor_execute")
def _end(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    costs = current_costs()
    started = getattr(context, "jiki_started", None)
    if costs is not None and started is not None:
        costs.statements += 1
        costs.statement_seconds += time.perf_counter() - started
