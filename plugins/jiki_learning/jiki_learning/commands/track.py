"""Passes on what the web client tells for analytics; plugins that keep figures listen for it."""

from __future__ import annotations

from collections.abc import Mapping

from jiki_core.db import UnitOfWork
from jiki_learning.errors import InvalidEvent
from jiki_learning.events import ClientEventTracked

#: what the client may tell (contract.md 2.5)
TRACKED = ("premium_feature_blocked", "premium_modal_shown")
PROPERTIES = ("feature", "trigger", "context_type", "context_id", "context_slug", "context_uuid")


def track(uow: UnitOfWork, user_id: int, event: str | None, properties: Mapping[str, str | int | None]) -> None:
    """Raises InvalidEvent for an event that is not in `TRACKED`."""
    if event not in TRACKED:
        raise InvalidEvent()
    given = {name: value for name in PROPERTIES if (value := properties.get(name)) is not None}
    uow.emit(ClientEventTracked(user_id, event, **{name: str(value) for name, value in given.items()}))
