"""Ending somebody's sockets on every process: AnyCable's remote disconnect, over a channel of our own
(realtime.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import redis

from jiki_core.cable.keys import Keys
from jiki_core.cable.tokens import connection_identifier


@dataclass(frozen=True, slots=True)
class RemoteDisconnect:
    """Whose sockets end: all of a user's, or those of one session."""

    user_id: int
    session_id: str | None = None
    reconnect: bool = False

    def encode(self) -> bytes:
        """As a control message."""
        payload: dict[str, Any] = {
            "identifier": connection_identifier(self.user_id),
            "reconnect": self.reconnect,
        }
        if self.session_id is not None:
            payload["session_id"] = self.session_id
        return orjson.dumps({"command": "disconnect", "payload": payload})

    @classmethod
    def decode(cls, message: bytes) -> RemoteDisconnect | None:
        """None for anything else on the channel."""
        try:
            frame = orjson.loads(message)
            payload = frame["payload"]
            user_id = orjson.loads(payload["identifier"])["user_id"]
        except (ValueError, KeyError, TypeError):
            return None
        if frame.get("command") != "disconnect" or not isinstance(payload, Mapping) or type(user_id) is not int:
            return None
        session_id = payload.get("session_id")
        return cls(user_id, session_id if isinstance(session_id, str) else None, payload.get("reconnect") is True)


def disconnect_user(
    client: redis.Redis, user_id: int, *, session_id: str | None = None, reconnect: bool = False
) -> None:
    """Ends a user's sockets within a second, everywhere; with `session_id` only that session's.

    Call it after the commit that revoked the session: sockets that are just opening check again then. Raises
    redis.RedisError when Valkey is away; sockets are checked once more when it is back.
    """
    client.publish(Keys.of(client).control, RemoteDisconnect(user_id, session_id, reconnect).encode())
