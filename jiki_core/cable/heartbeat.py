"""The pulse of one socket: pings, what is expected in return, and the moment its identity runs out (realtime.md 1.7)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from jiki_core.cable import protocol
from jiki_core.cable.framing import PING_FRAME, text_frame
from jiki_core.cable.protocol import DisconnectReason
from jiki_core.cable.services import CableServices
from jiki_core.cable.timers import Timer, Timers
from jiki_core.cable.transport import Transport

#: ticks per second of a ping's time, by AnyCable's `ptp`
_PRECISIONS: Mapping[str, int] = {"s": 1, "ms": 1_000, "ns": 1_000_000_000}
#: longest interval a client may ask for with AnyCable's `pi`
_LONGEST_INTERVAL = 60


class Disconnect(Protocol):
    """How a conversation is ended from outside its thread."""

    def __call__(self, reason: DisconnectReason, *, reconnect: bool, text: str = "") -> None: ...


class Heartbeat:
    """Beats in the timers' thread; `heard` and `busy` are told by the conversation's."""

    def __init__(
        self,
        transport: Transport,
        services: CableServices,
        timers: Timers,
        disconnect: Disconnect,
        expires_at: datetime | None,
    ) -> None:
        self._transport = transport
        self._limits = services.limits
        self._clock = services.clock
        self._timers = timers
        self._disconnect = disconnect
        self._expires_at = None if expires_at is None else expires_at.timestamp()
        self._interval = self._limits.ping_seconds
        self._precision = 1
        self._next_keepalive = self._clock.monotonic() + self._limits.keepalive_seconds
        self._commanded_at = self._clock.monotonic()
        self._is_busy = False
        self._sends_pongs = False
        self._timer: Timer | None = None

    def start(self, query: Mapping[str, str]) -> None:
        """Begins, in the interval and precision that the handshake's query may choose; the first beat is spread."""
        interval = query.get("pi", "")
        if interval.isdecimal() and len(interval) <= 2 and 1 <= int(interval) <= _LONGEST_INTERVAL:
            self._interval = float(interval)
        self._precision = _PRECISIONS.get(query.get("ptp", "s"), 1)
        self._beat_in(self._interval * random.uniform(0.5, 1.5))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def busy(self) -> None:
        """A command is being handled: what the client sends meanwhile is not seen."""
        self._is_busy = True

    def heard(self) -> None:
        """A command was handled."""
        self._commanded_at = self._clock.monotonic()
        self._is_busy = False

    def pong(self) -> None:
        """This client answers pings, and is expected to from now on."""
        self._sends_pongs = True

    def _beat_in(self, seconds: float) -> None:
        if self._expires_at is not None:
            seconds = min(seconds, max(0.0, self._expires_at - self._clock.wall()))
        self._timer = self._timers.call_later(seconds, self._beat)

    def _beat(self) -> None:
        now = self._clock.monotonic()
        if self._expires_at is not None and self._clock.wall() >= self._expires_at:
            self._disconnect(DisconnectReason.TOKEN_EXPIRED, reconnect=False, text="Token expired")
        elif self._is_gone(now):
            self._disconnect(DisconnectReason.NO_PONG, reconnect=True, text="No Pong")
        else:
            self._transport.send(text_frame(protocol.ping(int(self._clock.wall() * self._precision))))
            if now >= self._next_keepalive:
                self._next_keepalive = now + self._limits.keepalive_seconds
                self._transport.send(PING_FRAME)
            self._beat_in(self._interval)

    def _is_gone(self, now: float) -> bool:
        if now - self._transport.peer.heard_at > self._limits.silence_seconds:
            return True
        return self._sends_pongs and not self._is_busy and now - self._commanded_at > self._limits.pong_seconds
