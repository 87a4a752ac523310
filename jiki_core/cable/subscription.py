"""One confirmed subscription: its channel, its places in streams, and what is kept back for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jiki_core.cable import metrics, protocol
from jiki_core.cable.broadcast import publish_unlogged
from jiki_core.cable.channel import Channel, Effects
from jiki_core.cable.feeds import Attachment, Flow
from jiki_core.cable.framing import text_frame
from jiki_core.cable.hub import MakeRoom, at_once
from jiki_core.cable.presence import ERROR_MESSAGE, Member, PresenceInvalid, info_message
from jiki_core.cable.protocol import Dialect, HistoryRequest
from jiki_core.cable.rates import TokenBucket
from jiki_core.cable.registry import Registered
from jiki_core.cable.valkey import ValkeyUnavailable
from jiki_core.errors import Unavailable

if TYPE_CHECKING:
    from jiki_core.cable.connection import Connection

#: how long the channel's decision holds for whispers and presence
_DECIDED_SECONDS = 1.0


class Subscription:
    """A listener of streams (feeds.py). Commands come from the conversation's thread, `resume` and `go_live_unasked` from
    another."""

    __slots__ = (
        "_attachments",
        "_connection",
        "_decided_at",
        "_pending_history",
        "_replaying",
        "bucket",
        "channel",
        "dialect",
        "identifier",
        "is_confirmed",
        "is_replayed",
        "key",
        "plugin",
        "presence_id",
        "presence_stream",
        "present_in",
        "registered",
        "send",
        "sid",
        "whisper_stream",
    )

    def __init__(self, connection: Connection, key: str, registered: Registered, channel: Channel) -> None:
        #: the identifier as the client sent it
        self.key = key
        self.identifier = protocol.encode_identifier(key)
        self.plugin = registered.plugin
        self.registered = registered
        self.channel = channel
        self.dialect: Dialect = connection.dialect
        self.sid = connection.sid
        self.send = connection.transport.send
        self.bucket = TokenBucket(registered.channel.rate, connection.clock.monotonic)
        self.whisper_stream: str | None = None
        self.presence_stream: str | None = None
        self.presence_id: str | None = None
        #: the presence stream that the client has joined
        self.present_in: str | None = None
        #: confirmed on this connection; a restored one is not
        self.is_confirmed = False
        #: a history was confirmed on this connection
        self.is_replayed = False
        self._connection = connection
        self._decided_at = connection.clock.monotonic()
        self._attachments: dict[str, Attachment] = {}
        self._pending_history: HistoryRequest | None = None
        # a history and a resume must not both read the log for the same place
        self._replaying = threading.Lock()

    def say(self, payload: bytes) -> None:
        self.send(text_frame(payload))

    def transmit(self, messages: Iterable[bytes]) -> None:
        """Sends messages (JSON) to this subscription alone."""
        for message in messages:
            self.say(protocol.data(self.identifier, message))

    def follow(self, effects: Effects) -> list[Attachment]:
        """Attaches and detaches streams as a method asked for. Returns the new ones, held until they are
        released."""
        self._allow(effects)
        stopped = self._attachments if effects.stops_all else effects.stopped
        for stream in [stream for stream in stopped if stream not in effects.streams]:
            attachment = self._attachments.pop(stream, None)
            if attachment is not None:
                self._connection.hub.detach(attachment)
        wanted = [stream for stream in effects.streams if stream not in self._attachments]
        new = self._connection.hub.attach(wanted, self) if wanted else []
        self._attachments.update({attachment.feed.stream: attachment for attachment in new})
        for stream, attachment in self._attachments.items():
            attachment.wants_presence = stream == self.presence_stream
        return new

    def release(self, attachments: Iterable[Attachment]) -> None:
        """Lets messages of new streams flow."""
        with self._replaying:
            for attachment in attachments:
                self._connection.hub.release(attachment, self._make_room)

    def go_live(self) -> None:
        """Lets everything flow that is still held, after what came meanwhile."""
        with self._replaying:
            self._release(Flow.HELD, self._make_room)

    def go_live_unasked(self) -> bool:
        """The same from a thread that serves many sockets, which must not wait for a client that takes its history slowly.
        False when it has to be tried again."""
        return self._if_free(lambda: self._release(Flow.HELD, at_once))

    def fulfil(self, request: HistoryRequest) -> None:
        """Answers a `history`: what was missed, the acknowledgement, then what came meanwhile."""
        with self._replaying:
            if self._connection.is_paused(self.plugin):
                self._pending_history = request
                self.silenced()
            else:
                self._replay(request, self._make_room)

    def resume(self) -> bool:
        """Its plugin runs again: sends what was kept back. False as above."""
        return self._if_free(self._resume)

    def whisper(self, message: bytes) -> str:
        """Passes JSON on to everybody else on the whisper stream. Returns the outcome, as the next three do."""
        if self.whisper_stream is None or self._connection.is_paused(self.plugin):
            return "ignored"
        try:
            self._ask_again()
            stream = self.whisper_stream
            if stream is None:
                return "refused"
            self._connection.valkey.call(publish_unlogged, stream, b"t", message, self.sid)
        except (Unavailable, ValkeyUnavailable):
            return "unavailable"
        return "done"

    def join(self, given: Any) -> str:
        """The client is there, as it says in `given`; others are told."""
        try:
            stream = None if self._connection.is_paused(self.plugin) else self._presence()
            if stream is None:
                raise PresenceInvalid("there is no presence here")
            member = Member.parse(given, required_id=self.presence_id)
            self.present_in = stream
            self._connection.valkey.call(self._connection.company.join, stream, self.sid, member)
        except (PresenceInvalid, Unavailable, ValkeyUnavailable):
            self.say(protocol.presence(self.identifier, ERROR_MESSAGE))
            return "refused"
        return "done"

    def leave(self) -> str:
        """The client is there no longer; without Valkey it vanishes by itself."""
        stream, self.present_in = self.present_in, None
        if stream is None:
            return "ignored"
        with suppress(ValkeyUnavailable):
            self._connection.valkey.call(self._connection.company.leave, stream, self.sid)
        return "done"

    def tell_presence(self, *, with_records: bool) -> str:
        """Tells who is there."""
        message = ERROR_MESSAGE
        with suppress(Unavailable, ValkeyUnavailable):
            stream = self._presence()
            if stream is not None:
                records = self._connection.valkey.call(self._connection.company.records, stream)
                message = info_message(records, with_records=with_records)
        self.say(protocol.presence(self.identifier, message))
        return "done"

    def silenced(self) -> None:
        self._connection.remember_silenced(self)

    def history_lost(self) -> None:
        metrics.HISTORIES.labels("lost").inc()
        if self.dialect is Dialect.EXTENDED:
            self.say(protocol.reject_history(self.identifier))

    def close(self) -> None:
        """Nothing is delivered afterwards."""
        for attachment in self._attachments.values():
            self._connection.hub.detach(attachment)
        self._attachments.clear()

    def _allow(self, effects: Effects) -> None:
        """Whispers and presence end with their stream, unless the same method allows them anew."""

        def ends(stream: str | None) -> bool:
            return stream not in effects.streams and (effects.stops_all or stream in effects.stopped)

        if effects.whisper_stream is not None:
            self.whisper_stream = effects.whisper_stream
        elif ends(self.whisper_stream):
            self.whisper_stream = None
        if effects.presence_stream is not None:
            self.presence_stream, self.presence_id = effects.presence_stream, effects.presence_id
        elif ends(self.presence_stream):
            self.presence_stream = None
        if self.present_in != self.presence_stream:
            if self.presence_stream is None:
                self.leave()
            # who went on to another stream is not announced as gone: the others go on, too
            self.present_in = None

    def _ask_again(self) -> None:
        """Whispers and presence call no method of the channel that could notice that somebody was sent away, so the channel
        decides anew once its last decision is a second old. Raises Unavailable when nobody can say."""
        now = self._connection.clock.monotonic()
        if now - self._decided_at < _DECIDED_SECONDS:
            return
        is_let_in = self._connection.would_let_in(self)
        self._decided_at = now
        if not is_let_in:
            self.whisper_stream = self.presence_stream = None
            self.leave()

    def _presence(self) -> str | None:
        if self.presence_stream is not None:
            self._ask_again()
        return self.presence_stream

    def _if_free(self, act: Callable[[], None]) -> bool:
        if not self._replaying.acquire(blocking=False):
            return False
        try:
            act()
        finally:
            self._replaying.release()
        return True

    def _resume(self) -> None:
        request, self._pending_history = self._pending_history, None
        if request is not None:
            self._replay(request, at_once)
        else:
            self._release(Flow.SILENT, at_once)

    def _replay(self, request: HistoryRequest, make_room: MakeRoom) -> None:
        is_whole = self._connection.hub.replay(list(self._attachments.values()), request, make_room)
        metrics.HISTORIES.labels("confirmed" if is_whole else "rejected").inc()
        self.is_replayed = is_whole
        answer = protocol.confirm_history if is_whole else protocol.reject_history
        self.say(answer(self.identifier))
        self._release(Flow.HELD, make_room)
        self._release(Flow.SILENT, make_room)

    def _release(self, flow: Flow, make_room: MakeRoom) -> None:
        for attachment in list(self._attachments.values()):
            if attachment.flow is flow:
                self._connection.hub.release(attachment, make_room)

    def _make_room(self) -> None:
        self._connection.transport.wait_for_room()
