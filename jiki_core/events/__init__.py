"""Domain events: frozen dataclasses that a unit of work emits and listeners receive, durably, as jobs."""

from jiki_core.events.event import Event
from jiki_core.events.listeners import Listener
from jiki_core.events.notification_kinds import NotificationKind

__all__ = ["Event", "Listener", "NotificationKind"]
