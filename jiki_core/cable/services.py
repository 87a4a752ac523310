"""What the cable needs from above, as one frozen value that `app.py` fills; and its limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jiki_core.cable.channel import Effects
from jiki_core.cable.clock import SYSTEM_CLOCK, Clock
from jiki_core.cable.outgoing import OutgoingLimits
from jiki_core.cable.protocol import DisconnectReason
from jiki_core.cable.rates import Rate
from jiki_core.cable.registry import ChannelRegistry
from jiki_core.cable.streams import LogLimits

if TYPE_CHECKING:  # types only: who connects and what a command writes come from above
    from jiki_core.db import UnitOfWork
    from jiki_core.security import Identity

Environ = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A handshake that nobody may use: `unauthorized`, or `token_expired` for a token that was good once."""

    reason: DisconnectReason = DisconnectReason.UNAUTHORIZED


@dataclass(frozen=True, slots=True)
class CableLimits:
    """Bounds of one process and one socket. Times are seconds."""

    #: sockets of one process; with gunicorn's threads, keep it below their number
    max_connections: int = 5_000
    max_subscriptions: int = 100
    #: sockets whose handshake or command runs at one time; the others wait their turn. No more than the database has
    #: connections, or those who come back all at once would be told that there are none
    max_at_work: int = 16
    max_identifier_characters: int = 4_096
    #: commands of one socket; what comes faster waits its turn, so that Rails' repeats (2/s each) never hurt
    commands: Rate = field(default_factory=lambda: Rate(20, per_seconds=1.0, burst=100))
    outgoing: OutgoingLimits = field(default_factory=OutgoingLimits)
    log: LogLimits = field(default_factory=LogLimits)
    #: what Rails' client expects; it gives up after 6 s without a message
    ping_seconds: float = 3.0
    #: WebSocket pings, which every client answers by itself, and the silence after which it is gone
    keepalive_seconds: float = 15.0
    silence_seconds: float = 45.0
    #: for extended clients that have sent a `pong` before
    pong_seconds: float = 12.0
    #: how long live messages of a restored subscription wait for its `history`
    hold_seconds: float = 2.0
    #: how long a subscribe waits for a paused plugin
    pause_seconds: float = 4.0
    #: how long it waits while nobody can say whether it is allowed; @anycable/core gives it up after ten
    outage_seconds: float = 8.0
    presence_seconds: int = 15
    #: how long restoring subscriptions may delay a welcome
    restore_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class CableServices:
    """Filled by `app.py`. Every call may be made from any thread of a serving process."""

    channels: ChannelRegistry
    #: who a handshake is, from its cookie or token; called in an app context. A DomainError of status 401 or 403
    #: is a Refused, any other exception closes with 1011 and lets the client come back
    authenticate: Callable[[Environ], Identity | Refused]
    #: whether an identity still holds, at most a second out of date; called in an app context, after a revocation may
    #: have been missed
    is_current: Callable[[Identity], bool]
    #: whether an identity has a permission; called in an app context. Any exception lets nobody in, and is asked again
    authorize: Callable[[Identity, str], bool]
    #: a fresh app context in which `identity` is who asks, with nothing open
    app_context: Callable[[Identity | None], AbstractContextManager[None]]
    #: calls a function with the unit of work of one command, within `app_context`, and commits; again when the
    #: transaction met another one
    run_in_unit: Callable[[Callable[[UnitOfWork], Effects]], Effects]
    is_paused: Callable[[str], bool]
    redis_url: str
    #: whether an exception says that something all need is away (a database), rather than that code is wrong
    is_outage: Callable[[Exception], bool] = lambda _error: False
    #: why a channel is suspended by its name; None when it is not
    suspension_of: Callable[[str], str | None] = lambda _channel: None
    #: (plugin, channel, error) after each call of a channel's code; None = it did not fail by its own fault
    note_outcome: Callable[[str, str, Exception | None], None] = lambda _plugin, _channel, _error: None
    #: origins of pages besides our own; `https://*.example.com` stands for all hosts below
    allowed_origins: tuple[str, ...] = ()
    limits: CableLimits = field(default_factory=CableLimits)
    clock: Clock = SYSTEM_CLOCK
