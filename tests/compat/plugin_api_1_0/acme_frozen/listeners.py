"""What frozen does when something happened."""

from __future__ import annotations

from typing import Any

from acme_frozen.events import NoteWritten
from jiki_core import UnitOfWork


def on_note_written(uow: UnitOfWork, event: NoteWritten) -> None:
    uow.notify(event.user_id, "frozen.note_seen", {"note_id": event.note_id})


def on_premium_started(uow: UnitOfWork, payload: dict[str, Any]) -> None:
    uow.notify(payload["user_id"], "frozen.premium_seen", {})
