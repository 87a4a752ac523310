"""Sockets that hear of new notes and may wave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jiki_core import Channel, Rate, action


@dataclass(frozen=True)
class FrozenParams:
    topic: str = "notes"


@dataclass(frozen=True)
class Wave:
    to: str


@dataclass(frozen=True)
class NoteMessage:
    """A note was written."""

    type: str
    note_id: int


class FrozenChannel(Channel):
    """The caller's own notes."""

    permission = "frozen.write"
    Params = FrozenParams
    rate = Rate(5, per_seconds=1.0, burst=10)
    truth = "GET /api/v1/internal/frozen"
    sends = {"note_written": NoteMessage}

    def subscribed(self) -> None:
        if self.params.topic != "notes":
            self.reject()
            return
        self.stream_from(f"frozen/{self.user_id}")

    @action
    def ping(self, data: Mapping[str, Any]) -> None:
        self.transmit({"type": "pong", "data": dict(data)})

    @action(payload=Wave)
    def wave(self, payload: Wave) -> None:
        self.uow.audit("frozen_wave:sent", actor_id=self.user_id, after={"to": payload.to}, plugin="frozen")
        self.transmit({"type": "waved", "to": payload.to})
