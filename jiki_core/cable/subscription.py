"""One confirmed subscription: its channel, its places in streams, and what is kept back for it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jiki_core.cable import metrics, protocol
from jiki_core.cable.broadcast import publish_unlogged
from jiki_core.cable.channel import Channel, Effects
from jiki_core.cable.feeds import Attachment, Flow
from jiki_core.cable.framing import text_frame
from jiki_core.cable.presence import ERROR_MESSAGE, Member, PresenceInvalid, info_message
from jiki_core.cable.protocol import Dialect, HistoryRequest
from jiki_core.cable.rates import TokenBucket
from jiki_core.cable.registry import Registered
from jiki_core.cable.valkey import ValkeyUnavailable

if TYPE_CHECKING:
    from jiki_core.cable.connection import Connection


class Subscription:
    """A listener of streams (feeds.py). Commands come from the conversation's thread; `resume` from
    another."""

    __slots__ = (
        "_attachments",
        "_connection",
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
        if effects.whisper_stream is not None:
            self.whisper_stream = effects.whisper_stream
        if effects.presence_stream is not None:
            self.presence_stream, self.presence_id = effects.presence_stream, effects.presence_id
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
                self._connection.hub.release(attachment)

    def go_live(self) -> None:
        """Lets everything flow that is still held, after what came meanwhile."""
        with self._replaying:
            self._release(Flow.HELD)

    def fulfil(self, request: HistoryRequest) -> None:
        """Answers a `history`: what was missed, the acknowledgement, then what came meanwhile."""
        with self._replaying:
            if self._connection.is_paused(self.plugin):
                self._pending_history = request
                self.silenced()
            else:
                self._replay(request)

    def resume(self) -> None:
        """Its plugin runs again: sends what was kept back."""
        with self._replaying:
            request, self._pending_history = self._pending_history, None
            if request is not None:
                self._replay(request)
            else:
                self._release(Flow.SILENT)

    def whisper(self, message: bytes) -> str:
        """Passes JSON on to everybody else on the whisper stream. Returns the outcome, as the next three do."""
        if self.whisper_stream is None or self._connection.is_paused(self.plugin):
            return "ignored"
        try:
            self._connection.valkey.call(publish_unlogged, self.whisper_stream, b"t", message, self.sid)
        except ValkeyUnavailable:
            return "unavailable"
        return "done"

    def join(self, given: Any) -> str:
        """The client is there, as it says in `given`; others are told."""
        try:
            if self.presence_stream is None or self._connection.is_paused(self.plugin):
                raise PresenceInvalid("there is no presence here")
            member = Member.parse(given, required_id=self.presence_id)
            self.present_in = self.presence_stream
            self._connection.valkey.call(self._connection.company.join, self.present_in, self.sid, member)
        except (PresenceInvalid, ValkeyUnavailable):
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
        if self.presence_stream is not None:
            with suppress(ValkeyUnavailable):
                records = self._connection.valkey.call(self._connection.company.records, self.presence_stream)
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

    def _replay(self, request: HistoryRequest) -> None:
        is_whole = self._connection.hub.replay(list(self._attachments.values()), request)
        metrics.HISTORIES.labels("confirmed" if is_whole else "rejected").inc()
        self.is_replayed = is_whole
        answer = protocol.confirm_history if is_whole else protocol.reject_history
        self.say(answer(self.identifier))
        self._release(Flow.HELD)
        self._release(Flow.SILENT)

    def _release(self, flow: Flow) -> None:
        for attachment in list(self._attachments.values()):
            if attachment.flow is flow:
                self._connection.hub.release(attachment)
