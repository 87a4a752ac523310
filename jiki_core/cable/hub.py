"""One Valkey subscriber per process: hears every stream that somebody here listens to, and repairs what it
missed.

Its thread starts with the first subscription of a process. While Valkey is away nothing waits for it:
subscriptions are confirmed, histories are refused, and whoever may have missed a message is told when it is
back.
"""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import redis
from redis.client import PubSub

from jiki_core.cable import metrics
from jiki_core.cable.control import RemoteDisconnect
from jiki_core.cable.feeds import Attachment, Feed, Flow, Listener
from jiki_core.cable.history import entries_after, missed_by
from jiki_core.cable.keys import Keys
from jiki_core.cable.protocol import HistoryRequest, Position
from jiki_core.cable.streams import NOBODY, StreamLog
from jiki_core.cable.valkey import Valkey, ValkeyUnavailable
from jiki_core.observability import get_logger

log = get_logger(__name__)
#: how long a subscribe waits for Valkey to confirm the channel; clients repeat after 5 s
_ATTACH_SECONDS = 2.0
#: silence after which the connection is tried, and the same again for the answer
_SILENCE_SECONDS = 2.5
_BATCH = 200

#: called before each message of a log: a hundred large ones are more than may wait for a client, and who sends them in the
#: socket's own thread waits instead
MakeRoom = Callable[[], None]


def at_once() -> None:
    """For threads that serve many sockets, and wait for none."""


class Hub:
    """Feeds by stream, and the thread that hears them."""

    def __init__(
        self,
        valkey: Valkey,
        stream_log: StreamLog,
        *,
        is_paused: Callable[[str], bool],
        on_disconnect: Callable[[RemoteDisconnect], None],
        on_return: Callable[[], None],
    ) -> None:
        """`on_disconnect` hears control messages, `on_return` that some may have been missed; neither may
        wait."""
        self._valkey = valkey
        self._log = stream_log
        self._is_paused = is_paused
        self._on_disconnect = on_disconnect
        self._on_return = on_return
        self._lock = threading.Lock()
        self._feeds: dict[str, Feed] = {}
        #: streams whose subscription at Valkey may have to change
        self._changed: set[str] = set()
        self._subscribed: set[str] = set()
        self._process: int | None = None
        self._thread: threading.Thread | None = None
        self._is_away = False
        self._is_stopped = False
        # whether a message on the wake channel reaches the thread
        self._is_awake = False
        self._is_heard = threading.Event()
        self._wake_channel = f"jiki:cable:wake:{secrets.token_urlsafe(9)}"
        self._keys = Keys(0)

    def start(self) -> None:
        """Starts the thread of this process, once; call it after the fork."""
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            self._thread = threading.Thread(target=self._run, name="cable-hub", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread, if this process has one, and its connections; nothing is heard afterwards."""
        self._is_stopped = True
        thread, self._thread = self._thread, None
        if thread is not None and self._process == os.getpid():
            self._wake()
            thread.join(timeout=2 * _SILENCE_SECONDS)
        self._valkey.close()

    @property
    def is_away(self) -> bool:
        """Whether Valkey could not be reached lately."""
        return self._is_away

    def attach(self, streams: Sequence[str], listener: Listener) -> list[Attachment]:
        """Attaches a listener to streams, held; `release` lets messages flow.

        When this returns, every later message of these streams will be delivered or its loss be told. Waits
        at most some seconds for Valkey, and not at all while it is known to be away.
        """
        self.start()
        with self._lock:
            attachments = []
            for stream in streams:
                feed = self._feeds.get(stream)
                if feed is None:
                    feed = self._feeds[stream] = Feed(stream)
                    self._changed.add(stream)
                attachments.append(feed.attach(listener))
        self._anchor({one.feed.stream: one.feed for one in attachments if one.feed.position is None})
        return attachments

    def detach(self, attachment: Attachment) -> None:
        """Nothing is delivered afterwards."""
        with self._lock:
            feed = attachment.feed
            if feed.detach(attachment) and self._feeds.get(feed.stream) is feed:
                del self._feeds[feed.stream]
                self._changed.add(feed.stream)

    def release(self, attachment: Attachment, make_room: MakeRoom) -> None:
        """Sends what came since its position, then lets live messages flow. May wait for Valkey."""
        feed, listener = attachment.feed, attachment.listener
        while True:
            with feed.lock:
                if not attachment.is_attached:
                    return
                here, sent = feed.position, attachment.sent
                if here is None or sent is None or (sent.epoch == here.epoch and sent.offset >= here.offset):
                    attachment.flow = Flow.LIVE
                    return
            try:
                page = self._valkey.call(self._log.page_after, feed.stream, sent.offset)
                missed = entries_after(page, sent)
            except ValkeyUnavailable:
                missed = None
            if not missed:
                with feed.lock:
                    attachment.sent = feed.position
                    attachment.flow = Flow.LIVE
                listener.history_lost()
                return
            for entry in missed:
                make_room()
                listener.send(attachment.frame_of(entry, page.position.epoch))
            attachment.sent = page.position

    def replay(self, attachments: Sequence[Attachment], request: HistoryRequest, make_room: MakeRoom) -> bool:
        """Sends what a client asks for and holds what comes meanwhile; `release` follows in any case.

        False when any of it is gone or cannot be read: then nothing is sent.
        """
        plans = []
        for attachment in attachments:
            feed = attachment.feed
            with feed.lock:
                attachment.flow = Flow.HELD
            try:
                page = self._valkey.call(self._log.page, feed.stream)
            except ValkeyUnavailable:
                return False
            missed = missed_by(page, request, feed.stream, began=attachment.began, sent=attachment.sent)
            if missed is None:
                return False
            plans.append((attachment, page.position, missed))
        for attachment, position, missed in plans:
            for entry in missed:
                make_room()
                attachment.listener.send(attachment.frame_of(entry, position.epoch))
            attachment.sent = position
        return True

    def _anchor(self, feeds: dict[str, Feed]) -> None:
        """Waits until Valkey counts us among the listeners of these streams, then learns where they stand."""
        if not feeds or (self._is_away and not self._is_heard.is_set()):
            return
        if not self._wake():
            return
        deadline = time.monotonic() + _ATTACH_SECONDS
        for feed in feeds.values():
            if not feed.acknowledged.wait(max(0.0, deadline - time.monotonic())):
                return
        unknown = [feed for feed in feeds.values() if feed.position is None]
        if not unknown:
            return
        try:
            positions = self._valkey.call(self._log.positions, [feed.stream for feed in unknown])
        except ValkeyUnavailable:
            return
        for feed, position in zip(unknown, positions, strict=True):
            _anchor_at(feed, position)

    def _wake(self) -> bool:
        """Makes the thread look at what changed; the message travels through Valkey, where it waits. False when Valkey
        is away, which the thread finds out by itself."""
        try:
            self._valkey.call(redis.Redis.publish, self._wake_channel, b"")
        except ValkeyUnavailable:
            return False
        return True

    # The hub's own thread

    def _run(self) -> None:
        pause = 0.1
        while not self._is_stopped:
            pubsub = self._valkey.subscriber()
            try:
                self._listen(pubsub)
                return
            except (redis.RedisError, ValkeyUnavailable, OSError) as error:
                if self._is_heard.is_set():
                    pause = 0.1
                if not self._is_away:
                    log.warning("cable_hub_lost", error=type(error).__name__)
                    metrics.HUB_LOSSES.inc()
            except Exception:
                log.exception("cable_hub_failed")
            finally:
                pubsub.close()
                self._is_away = True
                self._is_heard.clear()
            time.sleep(pause * random.uniform(0.5, 1.5))  # spreads reconnects
            pause = min(2.0, pause * 2)

    def _listen(self, pubsub: PubSub) -> None:
        """One connection's life; raises when it is lost, returns when the hub is stopped."""
        self._valkey.call(self._log.mark_birth)
        self._keys = self._valkey.call(Keys.of)
        with self._lock:
            self._changed.clear()
            feeds = list(self._feeds.values())
        self._subscribed = set()
        self._is_awake = False
        for feed in feeds:
            feed.acknowledged.clear()
        pubsub.subscribe(self._keys.control, self._wake_channel)
        self._subscribe(pubsub, [feed.stream for feed in feeds])
        self._await_acknowledgement(pubsub, feeds)
        self._repair(feeds)
        was_away, self._is_away = self._is_away, False
        self._is_heard.set()
        self._follow_changes(pubsub)  # what came before anybody could wake us
        if was_away:
            log.info("cable_hub_returned", streams=len(feeds))
            self._on_return()
        silent_since: float | None = None
        while not self._is_stopped:
            message = pubsub.get_message(timeout=_SILENCE_SECONDS)
            self._follow_changes(pubsub)
            if message is not None:
                silent_since = None
                self._hear(message)
            elif silent_since is None:
                silent_since = time.monotonic()
                self._valkey.call(redis.Redis.publish, self._wake_channel, b"")
            elif time.monotonic() - silent_since > _SILENCE_SECONDS:
                raise redis.ConnectionError("the subscriber's connection is silent")

    def _await_acknowledgement(self, pubsub: PubSub, feeds: Sequence[Feed]) -> None:
        """Waits until Valkey counts us in. What is logged meanwhile is found in the log by the repair."""
        deadline = time.monotonic() + 10 * _ATTACH_SECONDS
        while not (self._is_awake and all(feed.acknowledged.is_set() for feed in feeds)):
            if time.monotonic() > deadline:
                raise redis.TimeoutError("Valkey does not confirm our channels")
            message = pubsub.get_message(timeout=_SILENCE_SECONDS)
            if message is not None and not (message["type"] == "message" and message["data"][:2] == b"m "):
                self._hear(message)

    def _follow_changes(self, pubsub: PubSub) -> None:
        with self._lock:
            if not self._changed:
                return
            changed, self._changed = self._changed, set()
            wanted = {stream for stream in changed if stream in self._feeds}
            known = [self._feeds[stream] for stream in wanted & self._subscribed]
        for feed in known:
            feed.acknowledged.set()
        self._subscribe(pubsub, wanted - self._subscribed)
        unwanted = (changed - wanted) & self._subscribed
        if unwanted:
            cast(Any, pubsub).unsubscribe(*map(self._keys.channel, unwanted))
            self._subscribed -= unwanted

    def _subscribe(self, pubsub: PubSub, streams: Iterable[str]) -> None:
        pending = list(streams)
        for start in range(0, len(pending), _BATCH):
            pubsub.subscribe(*map(self._keys.channel, pending[start : start + _BATCH]))
        self._subscribed.update(pending)

    def _hear(self, message: dict[str, object]) -> None:
        kind, channel, data = message["type"], message["channel"], message["data"]
        name = channel.decode() if isinstance(channel, bytes) else str(channel)
        if kind == "message" and isinstance(data, bytes):
            if name == self._keys.control:
                command = RemoteDisconnect.decode(data)
                if command is not None:
                    self._on_disconnect(command)
                return
            feed = self._feed_of(name)
            if feed is not None:
                self._deliver(feed, data)
        elif kind == "subscribe":
            self._is_awake = self._is_awake or name == self._wake_channel
            feed = self._feed_of(name)
            if feed is not None:
                feed.acknowledged.set()

    def _feed_of(self, channel: str) -> Feed | None:
        prefix = self._keys.channel("")
        return self._feeds.get(channel.removeprefix(prefix)) if channel.startswith(prefix) else None

    def _deliver(self, feed: Feed, payload: bytes) -> None:
        try:
            kind, epoch, offset, exclude_socket, message = payload.split(b" ", 4)
            position = Position(epoch.decode(), int(offset))
        except ValueError:
            return  # not one of ours
        if kind == b"p":
            metrics.DELIVERIES.labels("presence").inc(feed.deliver_presence(message, self._is_paused))
            return
        if kind == b"t":
            with feed.lock:
                count = feed.deliver(message, None, exclude_socket.decode(), self._is_paused)
            metrics.DELIVERIES.labels("transient").inc(count)
            return
        if kind != b"m":
            return
        if feed.position is None:
            _anchor_at(feed, Position(position.epoch, position.offset - 1))
        with feed.lock:
            follows = feed.follows(position)
            if follows:
                count = feed.deliver(message, position, exclude_socket.decode(), self._is_paused)
                metrics.DELIVERIES.labels("logged").inc(count)
        if follows is False:
            self._catch_up(feed)

    def _repair(self, feeds: Sequence[Feed]) -> None:
        """After a loss of the connection: delivers what the log has, tells where it has not."""
        for start in range(0, len(feeds), _BATCH):
            batch = feeds[start : start + _BATCH]
            streams = [feed.stream for feed in batch]
            positions = self._valkey.call(self._log.positions, streams)
            for feed, position in zip(batch, positions, strict=True):
                if feed.position is None:
                    _anchor_at(feed, position)
                elif feed.position != position:
                    self._catch_up(feed)

    def _catch_up(self, feed: Feed) -> None:
        page = self._valkey.call(self._log.page, feed.stream)
        with feed.lock:
            here = feed.position
            missed = None if here is None else entries_after(page, here)
            if missed is None:
                # whatever the log still has follows; that something may be missing before it is told first
                missed = tuple(
                    entry
                    for entry in page.entries
                    if here is None or here.epoch != page.position.epoch or entry.offset > here.offset
                )
                first = missed[0].offset - 1 if missed else page.position.offset
                for listener in feed.lose(Position(page.position.epoch, first)):
                    listener.history_lost()
            for entry in missed:
                feed.deliver(entry.message, Position(page.position.epoch, entry.offset), NOBODY, self._is_paused)


def _anchor_at(feed: Feed, position: Position) -> None:
    """Learns where a stream stands, and tells those who were live before anybody knew."""
    for listener in feed.anchor(position):
        listener.history_lost()
