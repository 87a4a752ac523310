"""The Action Cable protocol as functions over values: what each command and each frame looks like
(realtime.md section 1).

Two dialects are spoken: the base one of Rails, and AnyCable's extended one with history, restore, presence
and whispers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson


class Dialect(StrEnum):
    """Subprotocols that are spoken, under their names on the wire."""

    BASE = "actioncable-v1-json"
    EXTENDED = "actioncable-v1-ext-json"


#: what a handshake may choose from; a client that offers none of them is spoken to in the base dialect
SUBPROTOCOLS: tuple[str, ...] = tuple(Dialect)


def dialect_of(subprotocol: str | None) -> Dialect:
    """The dialect of a handshake's outcome."""
    return Dialect.EXTENDED if subprotocol == Dialect.EXTENDED else Dialect.BASE


class DisconnectReason(StrEnum):
    """Reasons a `disconnect` message carries (realtime.md 1.11)."""

    UNAUTHORIZED = "unauthorized"
    TOKEN_EXPIRED = "token_expired"
    SERVER_RESTART = "server_restart"
    REMOTE = "remote"
    NO_PONG = "no_pong"
    TOO_SLOW = "too_slow"
    #: ours: the database is away, so that nobody can say whether a subscription is allowed. A rejection would be final
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a stream: offsets count from 1 within an epoch; offset 0 is before the first message."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """What a client says it has: positions by stream, and Unix seconds (inclusive) for all other streams."""

    since: float | None
    streams: Mapping[str, Position]


@dataclass(frozen=True, slots=True)
class Command:
    """A frame from a client. `data` and `presence` are whatever JSON it sent."""

    name: str
    identifier: str = ""
    data: Any = None
    history: HistoryRequest | None = None
    presence: Any = None


class Malformed(ValueError):
    """A frame that is no command; it is counted and not answered, as Rails and AnyCable do."""


def parse_command(text: str) -> Command:
    """Reads one frame. Raises Malformed for bad JSON (lone surrogates and deep nesting too) or a wrong
    shape."""
    try:
        frame = orjson.loads(text)
    except ValueError as error:
        raise Malformed("not JSON") from error
    if not isinstance(frame, dict):
        raise Malformed("not an object")
    name, identifier = frame.get("command"), frame.get("identifier", "")
    if not isinstance(name, str) or not isinstance(identifier, str):
        raise Malformed("command and identifier must be strings")
    history = frame.get("history")
    return Command(
        name,
        identifier,
        frame.get("data"),
        None if history is None else _history_request(history),
        frame.get("presence"),
    )


#: a position that no stream ever has: asking from there is always refused
_NOWHERE = Position("", -1)


def _history_request(raw: Any) -> HistoryRequest:
    """Reads leniently: what cannot be understood becomes a position that no stream has."""
    if not isinstance(raw, dict):
        return HistoryRequest(-math.inf, {})
    streams = raw.get("streams")
    return HistoryRequest(
        _seconds(raw.get("since")),
        {name: _position(entry) for name, entry in streams.items()} if isinstance(streams, dict) else {},
    )


def _seconds(raw: Any) -> float | None:
    """0 is no time, as for AnyCable; neither is JSON's true."""
    is_time = isinstance(raw, int | float) and not isinstance(raw, bool) and raw > 0
    return float(raw) if is_time else None


def _position(raw: Any) -> Position:
    if not isinstance(raw, dict):
        return _NOWHERE
    epoch, offset = raw.get("epoch"), raw.get("offset")
    if isinstance(epoch, str) and isinstance(offset, int) and not isinstance(offset, bool):
        return Position(epoch, offset)
    return _NOWHERE


# What the server says. Identifiers are opaque strings that are echoed as they came; they are encoded once per
# subscription (`encode_identifier`) and joined to frames as bytes, and a broadcast's JSON is never decoded on
# its way.

PONG = b'{"type":"pong"}'


def encode_identifier(identifier: str) -> bytes:
    """The identifier as a JSON string."""
    return orjson.dumps(identifier)


def welcome(sid: str | None = None, restored_ids: Sequence[str] | None = None) -> bytes:
    """`sid` and `restored_ids` belong to the extended dialect."""
    body: dict[str, Any] = {"type": "welcome"}
    if sid is not None:
        body["sid"] = sid
    if restored_ids is not None:
        body |= {"restored": True, "restored_ids": list(restored_ids)}
    return orjson.dumps(body)


def ping(message: int) -> bytes:
    """`message` is the Unix time, in the precision the client asked for."""
    return b'{"type":"ping","message":%d}' % message


def disconnect(reason: DisconnectReason, *, reconnect: bool) -> bytes:
    return orjson.dumps({"type": "disconnect", "reason": reason, "reconnect": reconnect})


def confirm_subscription(identifier: bytes) -> bytes:
    return b'{"identifier":%b,"type":"confirm_subscription"}' % identifier


def reject_subscription(identifier: bytes) -> bytes:
    return b'{"identifier":%b,"type":"reject_subscription"}' % identifier


def confirm_history(identifier: bytes) -> bytes:
    return b'{"type":"confirm_history","identifier":%b}' % identifier


def reject_history(identifier: bytes) -> bytes:
    """Also sent unasked when messages may be missing: the client must reload its state."""
    return b'{"type":"reject_history","identifier":%b}' % identifier


def data(identifier: bytes, message: bytes) -> bytes:
    """A message without a position: base dialect, transmissions, whispers, transient broadcasts."""
    return b'{"identifier":%b,"message":%b}' % (identifier, message)


def positioned_data(identifier: bytes, message: bytes, stream: str, position: Position) -> bytes:
    """A stream's message for the extended dialect."""
    return b'{"identifier":%b,"message":%b,"stream_id":%b,"epoch":%b,"offset":%d}' % (
        identifier,
        message,
        orjson.dumps(stream),
        orjson.dumps(position.epoch),
        position.offset,
    )


def presence(identifier: bytes, message: bytes) -> bytes:
    """`message` is `{"type": "join" | "leave" | "info" | "error", …}`."""
    return b'{"type":"presence","identifier":%b,"message":%b}' % (identifier, message)


def error_data(symbol: str, extras: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """How a refused `perform` is answered: as an ordinary message of the subscription."""
    return {"error": {"type": symbol, **(extras or {})}}
