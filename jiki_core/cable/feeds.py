"""A stream within one process: who listens, how far it has been delivered, and one frame for all alike.

Deliveries of a stream are in order, without a gap and without a repetition; whoever is not in step is held
until it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from typing import Protocol

from jiki_core.cable import protocol
from jiki_core.cable.framing import text_frame
from jiki_core.cable.history import Entry
from jiki_core.cable.protocol import Dialect, Position


class Listener(Protocol):
    """A subscription, as far as a stream is concerned."""

    plugin: str
    dialect: Dialect
    #: the identifier as JSON
    identifier: bytes
    #: the socket's id, by which a broadcast leaves its sender out
    sid: str

    def send(self, frame: bytes) -> None:
        """Must not wait."""

    def history_lost(self) -> None:
        """Messages may be missing: tells a client that can be told."""

    def silenced(self) -> None:
        """A message was kept back because the plugin is paused."""


class Flow(Enum):
    """What happens to a live message."""

    #: kept back: a history or a restore is being sent
    HELD = auto()
    LIVE = auto()
    #: kept back: the plugin is paused
    SILENT = auto()


class Attachment:
    """One subscription's place in one stream."""

    __slots__ = ("began", "feed", "flow", "is_attached", "listener", "send", "sent", "wants_presence")

    def __init__(self, feed: Feed, listener: Listener) -> None:
        self.feed = feed
        self.listener = listener
        # the listener's own method: a broadcast touches thousands of these, and nothing more of most of them
        self.send = listener.send
        self.flow = Flow.HELD
        #: where the subscription began; None while Valkey has not said where the stream stands
        self.began: Position | None = None
        #: the newest message it was sent, or need not be sent
        self.sent: Position | None = None
        self.wants_presence = False
        self.is_attached = True

    def frame_of(self, entry: Entry, epoch: str) -> bytes:
        """The frame of a message from the log."""
        return frame_of(
            self.listener.dialect,
            self.listener.identifier,
            entry.message,
            self.feed.stream,
            Position(epoch, entry.offset),
        )


def frame_of(dialect: Dialect, identifier: bytes, message: bytes, stream: str, position: Position | None) -> bytes:
    """A message's frame; only the extended dialect has positions."""
    if position is None or dialect is Dialect.BASE:
        return text_frame(protocol.data(identifier, message))
    return text_frame(protocol.positioned_data(identifier, message, stream, position))


class Feed:
    """One stream and its listeners. Every method but `attach` and `detach` is the hub's; the lock guards
    all."""

    __slots__ = ("_groups", "acknowledged", "lock", "position", "stream")

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.lock = threading.Lock()
        #: set once Valkey has confirmed our subscription to its channel
        self.acknowledged = threading.Event()
        #: the newest message delivered here; None while unknown
        self.position: Position | None = None
        # those that get the very same bytes
        self._groups: dict[tuple[str, Dialect, bytes], dict[Attachment, None]] = {}

    def attach(self, listener: Listener) -> Attachment:
        """Adds a listener, held."""
        attachment = Attachment(self, listener)
        with self.lock:
            attachment.began = attachment.sent = self.position
            group = (listener.plugin, listener.dialect, listener.identifier)
            self._groups.setdefault(group, {})[attachment] = None
        return attachment

    def detach(self, attachment: Attachment) -> bool:
        """Removes a listener; True when it was the last."""
        listener = attachment.listener
        key = (listener.plugin, listener.dialect, listener.identifier)
        with self.lock:
            attachment.is_attached = False
            group = self._groups.get(key, {})
            group.pop(attachment, None)
            if not group:
                self._groups.pop(key, None)
            return not self._groups

    def anchor(self, position: Position) -> list[Listener]:
        """Learns where the stream stands. Returns those that have been live without knowing, and may have
        missed something."""
        with self.lock:
            if self.position is None:
                self.position = position
            uncertain = []
            for attachment in self._attachments():
                is_live = attachment.flow is Flow.LIVE
                if attachment.sent is None or (is_live and not _has(attachment.sent, self.position)):
                    attachment.began = attachment.began or self.position
                    attachment.sent = self.position
                    if is_live:
                        uncertain.append(attachment.listener)
            return uncertain

    def follows(self, position: Position) -> bool | None:
        """Whether a message is the next one; None when it was delivered already. Call with the lock held."""
        current = self.position
        if current is None:
            return False
        if position.epoch != current.epoch:
            # the counter of a silent stream ran out and a new life began: nothing is missing
            return position.offset == 1
        if position.offset <= current.offset:
            return None
        return position.offset == current.offset + 1

    def deliver(
        self,
        message: bytes,
        position: Position | None,
        exclude_socket: str,
        is_paused: Callable[[str], bool],
    ) -> int:
        """Sends a message to everybody who is live; returns how many. Call with the lock held."""
        count = 0
        silenced: list[Listener] = []
        for (plugin, dialect, identifier), attachments in self._groups.items():
            if is_paused(plugin):
                if position is not None:
                    silenced += _silence(attachments)
                continue
            frame = frame_of(dialect, identifier, message, self.stream, position)
            if position is None:
                count += _send_to(attachments, frame, exclude_socket)
            else:
                count += _send_next_to(attachments, frame, position, exclude_socket)
        if position is not None:
            self.position = position
        for listener in silenced:
            listener.silenced()
        return count

    def deliver_presence(self, message: bytes, is_paused: Callable[[str], bool]) -> int:
        """Sends an announcement to clients that understand it; Rails' would hand it to the application."""
        count = 0
        with self.lock:
            for (plugin, dialect, identifier), attachments in self._groups.items():
                if dialect is Dialect.BASE or is_paused(plugin):
                    continue
                frame = text_frame(protocol.presence(identifier, message))
                for attachment in attachments:
                    if attachment.wants_presence and attachment.flow is not Flow.SILENT:
                        attachment.listener.send(frame)
                        count += 1
        return count

    def lose(self, position: Position) -> list[Listener]:
        """Goes on from a position although something may be missing; returns those who must be told. Call
        with the lock held."""
        self.position = position
        lost = []
        for attachment in self._attachments():
            if attachment.flow is Flow.LIVE:
                attachment.sent = position
                lost.append(attachment.listener)
        return lost

    def _attachments(self) -> Iterator[Attachment]:
        for group in self._groups.values():
            yield from group


def _send_to(attachments: Iterable[Attachment], frame: bytes, exclude_socket: str) -> int:
    """What no log keeps goes to everybody whose plugin runs."""
    count = 0
    for attachment in attachments:
        if attachment.flow is not Flow.SILENT and attachment.listener.sid != exclude_socket:
            attachment.listener.send(frame)
            count += 1
    return count


def _send_next_to(attachments: Iterable[Attachment], frame: bytes, position: Position, exclude_socket: str) -> int:
    """A message of the log goes to those who are live and do not have it. The inner loop of every broadcast: it runs for
    each of thousands of sockets, so it calls nothing that it can look at itself."""
    count, live, epoch, offset = 0, Flow.LIVE, position.epoch, position.offset
    for attachment in attachments:
        sent = attachment.sent
        if attachment.flow is not live or (sent is not None and sent.offset >= offset and sent.epoch == epoch):
            continue
        attachment.sent = position
        if exclude_socket and attachment.listener.sid == exclude_socket:
            continue
        attachment.send(frame)
        count += 1
    return count


def _silence(attachments: Iterable[Attachment]) -> list[Listener]:
    silenced = []
    for attachment in attachments:
        if attachment.flow is Flow.LIVE:
            attachment.flow = Flow.SILENT
            silenced.append(attachment.listener)
    return silenced


def _has(sent: Position | None, position: Position) -> bool:
    return sent is not None and sent.epoch == position.epoch and sent.offset >= position.offset
