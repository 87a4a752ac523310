"""An AnyCable server in front instead of our own cable: broadcasts and disconnects in its formats (realtime.md section 2).

Tokens and signed stream names are AnyCable's anyway (tokens.py); docs/sockets.md says what an operator sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

import orjson
import redis

from jiki_core.cable.broadcast import check_stream, encode_message, publish, socket_id
from jiki_core.cable.control import RemoteDisconnect, disconnect_user

#: AnyCable's key of both its pub/sub channel and its Valkey stream
ANYCABLE_KEY = "__anycable__"
#: what waits for an AnyCable server that does not read, at most
_KEPT = 10_000
#: how long a durable message is known to have been handed over, as in our own streams
_SEEN_SECONDS = 3_000
#: one step, so that a durable message is neither lost nor repeated; both keys are in one hash slot
_HAND_OVER = """
if ARGV[1] ~= '' and not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[3]) then return 0 end
if ARGV[4] == 'redisx' then redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', 'payload', ARGV[2])
else redis.call('PUBLISH', KEYS[1], ARGV[2]) end
return 1
"""


class AnyCableAdapter(StrEnum):
    """How an AnyCable server listens: `--broadcast_adapter`."""

    #: pub/sub; without history
    REDIS = "redis"
    #: a Valkey stream; with history
    REDISX = "redisx"


def publisher(client: redis.Redis, anycable: str) -> Callable[..., object]:
    """`publish` for this configuration: to our own cable, or to an AnyCable server when `anycable` names its adapter."""
    if not anycable:
        return partial(publish, client)
    return partial(publish_to_anycable, client, adapter=AnyCableAdapter(anycable))


def disconnector(client: redis.Redis, anycable: str) -> Callable[..., object]:
    """`disconnect_user` in the same way."""
    if not anycable:
        return partial(disconnect_user, client)
    return partial(disconnect_at_anycable, client, adapter=AnyCableAdapter(anycable))


def publish_to_anycable(
    client: redis.Redis,
    stream: str,
    message: Mapping[str, Any],
    *,
    adapter: AnyCableAdapter = AnyCableAdapter.REDISX,
    durable_id: str | None = None,
    exclude_socket: str | None = None,
    transient: bool = False,
) -> None:
    """Sends `message` to the subscribers that an AnyCable server has. Arguments and errors are those of `publish`."""
    described = anycable_broadcast(stream, message, exclude_socket=exclude_socket, transient=transient)
    _hand_over(client, adapter, described, durable_id or "")


def disconnect_at_anycable(
    client: redis.Redis,
    user_id: int,
    *,
    adapter: AnyCableAdapter = AnyCableAdapter.REDISX,
    session_id: str | None = None,
    reconnect: bool = False,
) -> None:
    """Ends a user's sockets there. AnyCable knows no sessions: the others of one whose session ended come back."""
    command = RemoteDisconnect(user_id, reconnect=reconnect or session_id is not None)
    _hand_over(client, adapter, command.encode(), "")


def anycable_broadcast(
    stream: str, message: Mapping[str, Any], *, exclude_socket: str | None = None, transient: bool = False
) -> bytes:
    """A broadcast as AnyCable reads it: `data` is JSON within a JSON string."""
    check_stream(stream)
    described: dict[str, Any] = {"stream": stream, "data": encode_message(message).decode()}
    meta: dict[str, Any] = {}
    if exclude_socket is not None:
        meta["exclude_socket"] = socket_id(exclude_socket)
    if transient:
        meta["transient"] = True
    if meta:
        described["meta"] = meta
    return orjson.dumps(described)


def _hand_over(client: redis.Redis, adapter: AnyCableAdapter, payload: bytes, durable_id: str) -> None:
    client.register_script(_HAND_OVER)(
        keys=[ANYCABLE_KEY, f"jiki:cable:{{{ANYCABLE_KEY}}}:seen:{durable_id}"],
        args=[durable_id, payload, _SEEN_SECONDS, adapter.value, _KEPT],
    )
