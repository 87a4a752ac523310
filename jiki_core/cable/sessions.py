"""What a socket was subscribed to, kept for a while in Valkey so that its user can go on after a short
absence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import orjson
import redis

from jiki_core.cable.keys import Keys

#: how long after the last sign of life a session can come back (AnyCable's --sessions_ttl)
SESSION_SECONDS = 300
_SID = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Whose session it was and its subscriptions, byte for byte. The sid alone opens nothing."""

    user_id: int
    identifiers: tuple[str, ...]


def save_session(client: redis.Redis, sid: str, record: SessionRecord) -> None:
    """Keeps the record from now on. Raises redis.RedisError."""
    body = orjson.dumps({"user_id": record.user_id, "identifiers": record.identifiers})
    client.set(Keys.of(client).session(sid), body, ex=SESSION_SECONDS)


def keep_sessions(client: redis.Redis, sids: Sequence[str]) -> None:
    """Says that these sockets are still there. Raises redis.RedisError."""
    keys = Keys.of(client)
    with client.pipeline(transaction=False) as pipeline:
        for sid in sids:
            pipeline.expire(keys.session(sid), SESSION_SECONDS)
        pipeline.execute()


def find_session(client: redis.Redis, sid: str, user_id: int) -> SessionRecord | None:
    """The record of `sid` when it is this user's. Raises redis.RedisError."""
    if not _SID.fullmatch(sid):
        return None
    body = cast("bytes | None", client.get(Keys.of(client).session(sid)))
    if body is None:
        return None
    found = orjson.loads(body)
    if found["user_id"] != user_id:
        return None
    return SessionRecord(user_id, tuple(found["identifiers"]))
