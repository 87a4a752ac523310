"""Sending to a stream from anywhere: appended to its log, counted, kept and published in one step of Valkey.

anycable.py does the same for an AnyCable server in front.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
import redis

from jiki_core.cable.keys import Keys
from jiki_core.cable.protocol import Position
from jiki_core.cable.streams import NOBODY, StreamLog

#: larger messages belong behind a REST read that the message points to
MAX_BROADCAST_BYTES = 262_144
MAX_STREAM_NAME_CHARACTERS = 255
_SOCKET_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: what a process of ours hears beside logged messages (streams.py): kind, and a socket that is left out
_UNLOGGED = b"%b - 0 %b %b"
_LOG = StreamLog()


def publish(
    client: redis.Redis,
    stream: str,
    message: Mapping[str, Any],
    *,
    durable_id: str | None = None,
    exclude_socket: str | None = None,
    transient: bool = False,
) -> Position | None:
    """Sends `message` to the stream's subscribers and returns its position.

    `durable_id` (the outbox id) makes it at most once however often it is called, within the life of the
    stream's counter. `exclude_socket` is a `sid` that does not get it. `transient` messages are not kept and
    have no position. Raises ValueError for a name or message that no client could be sent, redis.RedisError
    when Valkey is away.
    """
    check_stream(stream)
    encoded = encode_message(message)
    if transient:
        publish_unlogged(client, stream, b"t", encoded, exclude_socket)
        return None
    return _LOG.append(
        client,
        stream,
        encoded,
        durable_id=durable_id or "",
        exclude_socket=socket_id(exclude_socket),
    )


def publish_unlogged(
    client: redis.Redis, stream: str, kind: bytes, message: bytes, exclude_socket: str | None = None
) -> None:
    """Sends JSON that no log keeps: `t` for transient data and whispers, `p` for presence."""
    payload = _UNLOGGED % (kind, socket_id(exclude_socket).encode(), message)
    client.publish(Keys.of(client).channel(stream), payload)


def encode_message(message: Mapping[str, Any]) -> bytes:
    """The message as JSON. Clients drop falsy messages, so it must be an object with something in it.

    Raises ValueError.
    """
    if not isinstance(message, Mapping) or not message:
        raise ValueError("a message must be an object with at least one member: clients drop all else")
    encoded = orjson.dumps(dict(message))
    if len(encoded) > MAX_BROADCAST_BYTES:
        raise ValueError(
            f"a message of {len(encoded)} bytes is too large for a socket (at most {MAX_BROADCAST_BYTES}): "
            "send what changed and let the client read the rest over REST"
        )
    return encoded


def check_stream(stream: str) -> None:
    """Raises ValueError for a name that cannot be a stream's."""
    if not stream or len(stream) > MAX_STREAM_NAME_CHARACTERS or not stream.isprintable():
        raise ValueError(
            f"a stream's name has 1 to {MAX_STREAM_NAME_CHARACTERS} printable characters, such as exercise/7/42"
        )


def user_stream(topic: str, user_id: int) -> str:
    """The stream of one user's share of a topic, such as `notifications/42`."""
    return f"{topic}/{user_id}"


def socket_id(sid: str | None) -> str:
    """The sid that a broadcast leaves out, or nobody's. Raises ValueError for what is none."""
    if sid is None:
        return NOBODY
    if not _SOCKET_ID.fullmatch(sid):
        raise ValueError("exclude_socket must be a socket's sid")
    return sid
