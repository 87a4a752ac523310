"""One socket's conversation: what is said when (realtime.md 1.3 to 1.11). Knows no Flask and no gunicorn.

Commands of a connection are handled one after the other by the thread that receives. Other threads send
frames, end the conversation, and nothing else.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from jiki_core.cable import metrics, protocol
from jiki_core.cable.channel import Channel, Effects
from jiki_core.cable.clock import Clock
from jiki_core.cable.dispatch import ChannelFailed
from jiki_core.cable.framing import text_frame
from jiki_core.cable.heartbeat import Heartbeat
from jiki_core.cable.hub import Hub
from jiki_core.cable.presence import Presence
from jiki_core.cable.protocol import Command, Dialect, DisconnectReason, Malformed, parse_command
from jiki_core.cable.rates import TokenBucket
from jiki_core.cable.registry import Registered, UnknownChannel
from jiki_core.cable.sessions import SessionRecord, find_session, save_session
from jiki_core.cable.subscription import Subscription
from jiki_core.cable.tokens import query_of
from jiki_core.cable.transport import Transport, TransportClosed, TransportTooSlow
from jiki_core.cable.valkey import Valkey, ValkeyUnavailable
from jiki_core.errors import DomainError, Unavailable, ValidationFailed
from jiki_core.observability import get_logger

if TYPE_CHECKING:
    from jiki_core.cable.server import CableServer
    from jiki_core.security import Identity

log = get_logger(__name__)
#: an idle conversation looks around this often
_IDLE_SECONDS = 30.0
#: while a subscribe waits for its answer
_WAITING_SECONDS = 0.2
#: how often what is away is asked again
_AGAIN_SECONDS = 1.0
#: how soon after the last command the session is kept
_SAVE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Waiting:
    """A subscribe that cannot be answered yet: when it is looked at again, and from when on it must be answered."""

    command: Command
    registered: Registered
    params: Any
    again_at: float
    until: float


class Connection:
    """From the welcome to the end of one socket."""

    def __init__(self, server: CableServer, transport: Transport, identity: Identity, sid: str) -> None:
        self.transport = transport
        self.identity = identity
        self.sid = sid
        self.dialect: Dialect = protocol.dialect_of(transport.peer.subprotocol)
        self.subscriptions: dict[str, Subscription] = {}
        self._server = server
        self._limits = server.services.limits
        self._bucket = TokenBucket(self._limits.commands, self.clock.monotonic)
        # by identifier
        self._waiting: dict[str, Waiting] = {}
        self._ending = threading.Lock()
        self._is_open = True
        self._is_session_changed = False
        self._heartbeat = Heartbeat(transport, server.services, server.timers, self.disconnect, identity.expires_at)

    @property
    def clock(self) -> Clock:
        return self._server.services.clock

    @property
    def hub(self) -> Hub:
        return self._server.hub

    @property
    def is_paused(self) -> Callable[[str], bool]:
        return self._server.services.is_paused

    @property
    def valkey(self) -> Valkey:
        return self._server.valkey

    @property
    def company(self) -> Presence:
        return self._server.presence

    @property
    def remember_silenced(self) -> Callable[[Subscription], None]:
        return self._server.remember_silenced

    @property
    def is_open(self) -> bool:
        """Neither side has ended it."""
        return self._is_open

    def converse(self) -> None:
        """Speaks until either side ends it. Runs in the socket's own thread."""
        try:
            self.open()
            while True:
                text = self.transport.receive(self._patience())
                if text is not None:
                    self.handle(text)
                self.attend(is_idle=text is None)
        except TransportTooSlow:
            self.disconnect(DisconnectReason.TOO_SLOW, reconnect=True, text="Too slow")
        except TransportClosed:
            pass
        finally:
            self.close()

    def open(self) -> None:
        """Says welcome, with what is restored, and starts the pings."""
        query = query_of(self.transport.environ)
        if self.dialect is Dialect.BASE:
            self._say(protocol.welcome())
        else:
            environ = self.transport.environ
            restored = self._restore(query.get("sid") or str(environ.get("HTTP_X_ANYCABLE_RESTORE_SID", "")))
            if restored:
                self._save_session()  # the line may break again before there is a quiet moment
            self._say(protocol.welcome(self.sid, [one.key for one, _ in restored] or None))
            for subscription, effects in restored:
                subscription.transmit(effects.transmissions)
                self._go_live_later(subscription)
        self._heartbeat.start(query)

    def handle(self, text: str) -> None:
        """Does what one frame asks for. Never raises but for the transport's end."""
        with self._at_work():
            while not self._bucket.take():
                self.clock.sleep(max(0.001, self._bucket.seconds_until_next()))
                if not self._is_open:
                    return
            command = parse_command(text)
            act = self._ACTS.get(command.name)
            outcome = "unknown_command" if act is None else act(self, command)
            metrics.COMMANDS.labels(command.name if act else "unknown", outcome).inc()

    def attend(self, *, is_idle: bool) -> None:
        """Looks after subscribes that wait for their answer, and keeps the session when there is a moment."""
        now = self.clock.monotonic()
        for key in [key for key, waiting in self._waiting.items() if now >= waiting.again_at]:
            with self._at_work():
                waiting = self._waiting.pop(key)
                if self._is_open:
                    self._answer_subscribe(waiting.command, waiting.registered, waiting.params, waiting.until)
        if is_idle and self._is_session_changed:
            self._save_session()

    def disconnect(self, reason: DisconnectReason, *, reconnect: bool, code: int = 1000, text: str = "") -> None:
        """Ends the conversation with a word about it; from any thread, once."""
        with self._ending:
            if not self._is_open:
                return
            self._is_open = False
        metrics.DISCONNECTED.labels(reason).inc()
        self.transport.close(code, text, text_frame(protocol.disconnect(reason, reconnect=reconnect)))

    def close(self) -> None:
        """Lets go of everything; called once by the conversation's thread."""
        with self._ending:
            self._is_open = False
        self._heartbeat.stop()
        if self._is_session_changed:
            self._save_session()
        for subscription in self.subscriptions.values():
            self._leave(subscription)
        self.subscriptions.clear()

    def would_let_in(self, subscription: Subscription) -> bool:
        """Whether the channel would let it in now, by all that a restore asks. Raises Unavailable when nobody can say."""
        return self._decide(subscription.registered, subscription.channel.params, is_restored=True) is not None

    def presence_streams(self) -> list[str]:
        """Where this socket is present now."""
        return [one.present_in for one in list(self.subscriptions.values()) if one.present_in is not None]

    # Commands, each of which returns its outcome for the count

    def _subscribe(self, command: Command) -> str:
        key = command.identifier
        present = self.subscriptions.get(key)
        if present is not None and not present.is_confirmed:
            return self._confirm(present, command)
        if present is not None or key in self._waiting:
            return "duplicate"
        resolved = self._resolve(key)
        if resolved is None:
            self._reject(key)
            return "unknown_channel"
        if len(self.subscriptions) + len(self._waiting) >= self._limits.max_subscriptions:
            self._reject(key)
            return "too_many"
        return self._answer_subscribe(command, *resolved)

    def _answer_subscribe(self, command: Command, registered: Registered, params: Any, until: float = math.inf) -> str:
        """Confirms, rejects, or lets it wait: for a paused plugin, and while nobody can say whether it is allowed.

        A rejection is final, and so is the end of the line for @anycable/core, which gives up a subscribe that has no answer
        yet: so it is asked again for as long as that client waits, before the socket ends and the others come back.
        """
        limits, key = self._limits, command.identifier
        if self.is_paused(registered.plugin):
            now = self.clock.monotonic()
            until = min(until, now + limits.pause_seconds)
            if now < until:
                self._waiting[key] = Waiting(command, registered, params, now, until)
                return "waiting"
            return self._reject(key)
        try:
            established = self._establish(key, registered, params, is_restored=False)
        except Unavailable:
            now = self.clock.monotonic()
            until = min(until, now + limits.outage_seconds)
            if now < until:
                self._waiting[key] = Waiting(command, registered, params, now + _AGAIN_SECONDS, until)
                return "waiting"
            self.disconnect(DisconnectReason.UNAVAILABLE, reconnect=True, text="Try again later")
            return "unavailable"
        if established is None:
            return self._reject(key)
        subscription, effects = established
        return self._confirm(subscription, command, effects.transmissions)

    def _reject(self, key: str) -> str:
        self._say(protocol.reject_subscription(protocol.encode_identifier(key)))
        return "rejected"

    def _confirm(self, subscription: Subscription, command: Command, transmissions: Sequence[bytes] = ()) -> str:
        """Says that it is subscribed and does what else the command asks for.

        A restored subscription is confirmed as well when its client asks: the line broke before it got the first
        confirmation. Such a client asks for the history twice, alone and with the subscribe; the second time nothing
        is repeated.
        """
        subscription.is_confirmed = True
        subscription.say(protocol.confirm_subscription(subscription.identifier))
        subscription.transmit(transmissions)
        if command.history is None or self.dialect is Dialect.BASE:
            subscription.go_live()
        elif subscription.is_replayed:
            subscription.say(protocol.confirm_history(subscription.identifier))
        else:
            subscription.fulfil(command.history)
        if command.presence is not None and self.dialect is Dialect.EXTENDED:
            subscription.join(command.presence)
        return "confirmed"

    def _unsubscribe(self, command: Command) -> str:
        if self._waiting.pop(command.identifier, None) is not None:
            return "done"
        subscription = self.subscriptions.pop(command.identifier, None)
        if subscription is None:
            return "unknown_subscription"
        self._is_session_changed = True
        subscription.leave()
        self._leave(subscription)
        return "done"

    def _perform(self, command: Command) -> str:
        subscription = self.subscriptions.get(command.identifier)
        if subscription is None:
            return "unknown_subscription"
        data = _performed(command.data)
        if data is None:
            return "malformed"
        if self.is_paused(subscription.plugin):
            return self._answer(subscription, "plugin_paused")
        if not subscription.bucket.take():
            return self._answer(subscription, "rate_limited")
        name = data.pop("action", "receive")
        try:
            method = subscription.channel.perform(name if isinstance(name, str) else "", data)
            effects = self._server.dispatcher.call(subscription.registered, subscription.channel, name, method)
        except KeyError:
            return self._answer(subscription, "unknown_action")
        except DomainError as error:
            return self._answer(subscription, error.symbol, error.extras)
        except ChannelFailed:
            return self._answer(subscription, "internal_error")
        new = subscription.follow(effects)
        subscription.transmit(effects.transmissions)
        subscription.release(new)
        return "done"

    def _history(self, command: Command) -> str:
        subscription = self._extended(command)
        if subscription is None:
            return "ignored"
        subscription.fulfil(command.history or protocol.HistoryRequest(None, {}))
        return "done"

    def _whisper(self, command: Command) -> str:
        subscription = self.subscriptions.get(command.identifier)
        if subscription is None or command.data is None:
            return "ignored"
        return subscription.whisper(orjson.dumps(command.data))

    def _join(self, command: Command) -> str:
        subscription = self._extended(command)
        return "ignored" if subscription is None else subscription.join(command.presence)

    def _leave_presence(self, command: Command) -> str:
        subscription = self._extended(command)
        return "ignored" if subscription is None else subscription.leave()

    def _presence(self, command: Command) -> str:
        subscription = self._extended(command)
        if subscription is None:
            return "ignored"
        asked = command.data if isinstance(command.data, Mapping) else {}
        return subscription.tell_presence(with_records=asked.get("return_records", True) is not False)

    def _pong(self, _command: Command) -> str:
        self._heartbeat.pong()
        return "done"

    def _ping(self, _command: Command) -> str:
        self._say(protocol.PONG)
        return "done"

    _ACTS: ClassVar[Mapping[str, Callable[[Connection, Command], str]]] = {
        "subscribe": _subscribe,
        "unsubscribe": _unsubscribe,
        "message": _perform,
        "history": _history,
        "whisper": _whisper,
        "join": _join,
        "leave": _leave_presence,
        "presence": _presence,
        "pong": _pong,
        "ping": _ping,
    }

    # Parts of commands

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """While this lasts the client is not taken for silent. What fails hurts only itself, but for the transport's end."""
        self._heartbeat.busy()
        try:
            yield
        except Malformed:
            metrics.COMMANDS.labels("unknown", "malformed").inc()
        except TransportClosed:
            raise
        except Exception:
            metrics.COMMANDS.labels("unknown", "failed").inc()
            log.exception("cable_command_failed")
        finally:
            self._heartbeat.heard()

    def _extended(self, command: Command) -> Subscription | None:
        """The subscription of a command that only the extended dialect has."""
        return None if self.dialect is Dialect.BASE else self.subscriptions.get(command.identifier)

    def _say(self, payload: bytes) -> None:
        self.transport.send(text_frame(payload))

    def _answer(self, subscription: Subscription, symbol: str, extras: Mapping[str, Any] | None = None) -> str:
        subscription.transmit([orjson.dumps(protocol.error_data(symbol, extras), default=str)])
        return symbol if symbol in _COUNTED else "refused"

    def _resolve(self, key: str) -> tuple[Registered, Any] | None:
        if len(key) > self._limits.max_identifier_characters:
            return None
        try:
            return self._server.services.channels.resolve(key)
        except (UnknownChannel, ValidationFailed):
            return None

    def _establish(
        self, key: str, registered: Registered, params: Any, *, is_restored: bool
    ) -> tuple[Subscription, Effects] | None:
        """Lets the channel decide and attaches its streams, held. None when it rejects or fails.

        Raises Unavailable when nobody can say for now.
        """
        decided = self._decide(registered, params, is_restored=is_restored)
        if decided is None:
            return None
        channel, effects = decided
        subscription = Subscription(self, key, registered, channel)
        subscription.follow(effects)
        self.subscriptions[key] = subscription
        self._is_session_changed = True
        metrics.SUBSCRIPTIONS.labels(registered.plugin).inc()
        return subscription, effects

    def _decide(self, registered: Registered, params: Any, *, is_restored: bool) -> tuple[Channel, Effects] | None:
        if not self._server.dispatcher.is_authorized(registered, self.identity):
            return None
        channel = registered.channel(self.identity, self.sid, params, is_restored=is_restored)
        try:
            effects = self._subscribed(registered, channel)
        except Unavailable:
            raise
        except (DomainError, ChannelFailed):
            return None
        return None if effects.is_rejected else (channel, effects)

    def _subscribed(self, registered: Registered, channel: Channel) -> Effects:
        call = partial(self._server.dispatcher.call, registered, channel, "subscribed", channel.subscribed)
        try:
            return call()
        except Unavailable:
            return call()  # what broke may have been one connection that nobody had used for a while

    def _leave(self, subscription: Subscription) -> None:
        subscription.close()
        metrics.SUBSCRIPTIONS.labels(subscription.plugin).dec()
        if type(subscription.channel).unsubscribed is Channel.unsubscribed:
            return  # no context and no unit of work for a method that does nothing
        channel = subscription.channel
        with suppress(DomainError, ChannelFailed):  # counted by the dispatcher; there is nobody left to answer
            self._server.dispatcher.call(subscription.registered, channel, "unsubscribed", channel.unsubscribed)

    # Sessions

    def _restore(self, old_sid: str) -> list[tuple[Subscription, Effects]]:
        """Subscribes anew to what a session of the same user had; its channels decide again."""
        if not old_sid:
            return []
        try:
            record = self._server.valkey.call(find_session, old_sid, self.identity.user_id)
        except ValkeyUnavailable:
            record = None
        if record is None:
            metrics.RESTORES.labels("unknown").inc()
            return []
        deadline = self.clock.monotonic() + self._limits.restore_seconds
        restored = []
        for key in record.identifiers[: self._limits.max_subscriptions]:
            resolved = self._resolve(key)
            if resolved is None or self.is_paused(resolved[0].plugin) or self.clock.monotonic() > deadline:
                continue  # its client subscribes again
            with suppress(Unavailable):  # its client subscribes again, and is told
                established = self._establish(key, *resolved, is_restored=True)
                if established is not None:
                    restored.append(established)
        metrics.RESTORES.labels("restored").inc()
        return restored

    def _save_session(self) -> None:
        self._is_session_changed = False
        if self.dialect is Dialect.BASE:
            return
        record = SessionRecord(self.identity.user_id, tuple(self.subscriptions))
        with suppress(ValkeyUnavailable):  # then it does not come back: its client subscribes, with history
            self._server.valkey.call(save_session, self.sid, record)

    def _go_live_later(self, subscription: Subscription) -> None:
        def go_live() -> None:
            if self._is_open and not subscription.go_live_unasked():
                self._go_live_later(subscription)

        self._server.timers.call_later(self._limits.hold_seconds, lambda: self._server.errands.submit(go_live))

    # Time

    def _patience(self) -> float:
        if self._waiting:
            return _WAITING_SECONDS
        return _SAVE_SECONDS if self._is_session_changed else _IDLE_SECONDS


#: symbols that are counted by name; a plugin's own are counted together
_COUNTED = frozenset({"plugin_paused", "rate_limited", "unknown_action", "internal_error", "validation_error"})


def _performed(raw: Any) -> dict[str, Any] | None:
    """The object within a `message` command's `data`; None when there is none."""
    try:
        data = orjson.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
