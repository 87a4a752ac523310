"""One socket's conversation: what is said when (realtime.md 1.3 to 1.11). Knows no Flask and no gunicorn.

Commands of a connection are handled one after the other by the thread that receives. Other threads send
frames, end the conversation, and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
#: while a subscribe waits for a paused plugin
_WAITING_SECONDS = 0.2
#: how soon after the last command the session is kept
_SAVE_SECONDS = 0.05


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
        # subscribes that wait for a paused plugin, with the time when they are refused
        self._waiting: dict[str, tuple[float, Command]] = {}
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
                self._server.timers.call_later(self._limits.hold_seconds, self._go_live_soon(subscription))
        self._heartbeat.start(query)

    def handle(self, text: str) -> None:
        """Does what one frame asks for. Never raises but for the transport's end."""
        self._heartbeat.busy()
        try:
            while not self._bucket.take():
                self.clock.sleep(max(0.001, self._bucket.seconds_until_next()))
                if not self._is_open:
                    return
            command = parse_command(text)
            act = self._ACTS.get(command.name)
            outcome = "unknown_command" if act is None else act(self, command)
            metrics.COMMANDS.labels(command.name if act else "unknown", outcome).inc()
        except Malformed:
            metrics.COMMANDS.labels("unknown", "malformed").inc()
        except TransportClosed:
            raise
        except Exception:
            metrics.COMMANDS.labels("unknown", "failed").inc()
            log.exception("cable_command_failed")
        finally:
            self._heartbeat.heard()

    def attend(self, *, is_idle: bool) -> None:
        """Looks after subscribes that wait for a paused plugin, and keeps the session when there is a
        moment."""
        for key, (deadline, command) in list(self._waiting.items()):
            registered = self._resolve(key)
            if registered is None or not self.is_paused(registered[0].plugin):
                del self._waiting[key]
                self._subscribe(command)
            elif self.clock.monotonic() >= deadline:
                del self._waiting[key]
                self._say(protocol.reject_subscription(protocol.encode_identifier(key)))
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
        identifier = protocol.encode_identifier(key)
        resolved = self._resolve(key)
        if resolved is None:
            self._say(protocol.reject_subscription(identifier))
            return "unknown_channel"
        if len(self.subscriptions) + len(self._waiting) >= self._limits.max_subscriptions:
            self._say(protocol.reject_subscription(identifier))
            return "too_many"
        if self.is_paused(resolved[0].plugin):
            self._waiting[key] = (self.clock.monotonic() + self._limits.pause_seconds, command)
            return "waiting"
        try:
            established = self._establish(key, *resolved, is_restored=False)
        except Unavailable:
            self.disconnect(DisconnectReason.UNAVAILABLE, reconnect=True, text="Try again later")
            return "unavailable"
        if established is None:
            self._say(protocol.reject_subscription(identifier))
            return "rejected"
        subscription, effects = established
        return self._confirm(subscription, command, effects.transmissions)

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
        if not self._server.dispatcher.is_authorized(registered, self.identity):
            return None
        channel = registered.channel(self.identity, self.sid, params, is_restored=is_restored)
        try:
            effects = self._subscribed(registered, channel)
        except Unavailable:
            raise
        except (DomainError, ChannelFailed):
            return None
        if effects.is_rejected:
            return None
        subscription = Subscription(self, key, registered, channel)
        subscription.follow(effects)
        self.subscriptions[key] = subscription
        self._is_session_changed = True
        metrics.SUBSCRIPTIONS.labels(registered.plugin).inc()
        return subscription, effects

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

    def _go_live_soon(self, subscription: Subscription) -> Callable[[], None]:
        return lambda: self._server.errands.submit(subscription.go_live)

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
