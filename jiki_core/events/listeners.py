"""Listeners: who wants to know of which event. Each delivery is one durable job (architecture.md 2.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiki_core.events.event import Event

if TYPE_CHECKING:
    from jiki_core.db import UnitOfWork


@dataclass(frozen=True)
class Listener:
    """`event` is an event class of a plugin in `requires`, or the name of one in `uses` (its payload is then a dict).

    `func(uow, event)` runs in a unit of work of its own, at least once, with exactly one effect on PostgreSQL.
    """

    event: type[Event] | str
    func: Callable[[UnitOfWork, Any], None]
    name: str | None = None

    @property
    def event_name(self) -> str:
        return self.event if isinstance(self.event, str) else self.event.name


@dataclass(frozen=True)
class BoundListener:
    """A listener with its owner and the stored name of its job: `<plugin>.on_<event>_<function>`."""

    plugin: str
    listener: Listener
    job_name: str
