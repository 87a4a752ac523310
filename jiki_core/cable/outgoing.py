"""The one writer of a socket: a bounded queue that never makes the sender wait (realtime.md section 4, points
2 and 3).

A frame goes straight into the kernel's buffer when nothing is queued, so an idle or healthy socket costs no
thread. Only when the buffer is full does a thread appear that waits for the client, and it ends when the
queue is empty again.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

#: bytes handed to a waiting `send` at once; small, so that progress shows
_CHUNK_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class OutgoingLimits:
    """How much a client may leave unread, and for how long, before it counts as too slow."""

    max_bytes: int = 1_048_576
    max_frames: int = 2_000
    #: no byte accepted for this long while some wait
    stall_seconds: float = 5.0
    #: how long a farewell waits for a client that may come back to reading
    linger_seconds: float = 20.0


class CallLater(Protocol):
    def __call__(self, seconds: float, call: Callable[[], None], /) -> object: ...


class OutgoingQueue:
    """Bytes on their way to one socket. Any thread may `put`; none of them ever blocks.

    `on_overflow` is called once, from any thread, when a bound is passed; what waits is dropped then, except
    the frame that is half written, and only `finish` adds to the queue afterwards.
    """

    # a broadcast goes through thousands of these: with slots each is one place in memory, not two
    __slots__ = (
        "_bytes",
        "_call_later",
        "_empty",
        "_give_up_at",
        "_is_draining",
        "_is_open",
        "_is_watched",
        "_limits",
        "_lock",
        "_on_overflow",
        "_progress_at",
        "_queue",
        "_roomy",
        "_sock",
        "_write",
    )

    def __init__(
        self,
        sock: socket.socket,
        limits: OutgoingLimits,
        call_later: CallLater,
        on_overflow: Callable[[], None],
    ) -> None:
        self._sock = sock
        self._limits = limits
        self._call_later = call_later
        self._on_overflow = on_overflow
        self._lock = threading.Lock()
        self._queue: deque[memoryview] = deque()
        self._bytes = 0
        self._is_draining = False
        self._is_watched = False
        self._is_open = True
        self._progress_at = 0.0
        self._give_up_at: float | None = None
        self._empty: threading.Event | None = None
        self._roomy: threading.Event | None = None
        # gevent's sockets are non-blocking for the system, and a plain write to one never waits; a plain
        # socket takes a flag for that. Both leave the other direction of the socket alone.
        descriptor = sock.fileno()
        self._write: Callable[[bytes | memoryview], int]
        if os.get_blocking(descriptor):
            self._write = lambda data: sock.send(data, socket.MSG_DONTWAIT)
        else:
            self._write = partial(os.write, descriptor)

    @property
    def linger_seconds(self) -> float:
        """How long the last words are waited for."""
        return self._limits.linger_seconds

    @property
    def queued_bytes(self) -> int:
        """What waits for the client, without what the kernel holds."""
        return self._bytes

    def put(self, frame: bytes) -> None:
        """Sends or queues one frame; nothing happens after `finish` or an overflow."""
        with self._lock:
            if not self._is_open:
                return
            self._enqueue(frame)
            if not self._queue:
                return
            overflows = self._bytes > self._limits.max_bytes or len(self._queue) > self._limits.max_frames
            if overflows:
                self._shed()
        if overflows:
            self._on_overflow()

    def wait_for_room(self) -> None:
        """Waits while more than half of what is allowed is queued: for who has much to send and may wait, one thread at a
        time. A client that takes nothing ends it by its overflow."""
        while True:
            with self._lock:
                if not self._is_open or self._has_room():
                    return
                self._roomy = threading.Event()
            self._roomy.wait(self._limits.stall_seconds)

    def finish(self, *frames: bytes) -> None:
        """The last words: sent after what waits, and nothing after them."""
        with self._lock:
            if self._give_up_at is not None:
                return
            self._close()
            self._give_up_at = time.monotonic() + self._limits.linger_seconds
            for frame in frames:
                self._enqueue(frame)

    def abandon(self) -> None:
        """Drops everything; from here on the socket is not touched, so that its owner may close it."""
        with self._lock:
            self._abandon()

    def wait_until_empty(self, seconds: float) -> bool:
        """Waits for the client to take everything; False when it did not in time."""
        with self._lock:
            if not self._queue:
                return True
            self._empty = threading.Event()
        return self._empty.wait(seconds)

    def _enqueue(self, frame: bytes) -> None:
        rest: bytes | memoryview = frame
        if not self._queue:
            try:
                sent = self._write(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._abandon()
                return
            if sent == len(frame):
                return
            rest = memoryview(frame)[sent:]
        self._queue.append(memoryview(rest))
        self._bytes += len(rest)
        if not self._is_draining:
            self._is_draining = True
            self._progress_at = time.monotonic()
            threading.Thread(target=self._drain, name="cable-writer", daemon=True).start()
            if not self._is_watched:
                self._is_watched = True
                self._call_later(self._limits.stall_seconds / 4, self._watch)

    def _drain(self) -> None:
        """Waits for the client in a thread of its own, until the queue is empty or the socket gone."""
        while True:
            with self._lock:
                if not self._queue:
                    self._is_draining = False
                    if self._empty is not None:
                        self._empty.set()
                    return
                chunk = self._queue[0][:_CHUNK_BYTES]
            try:
                sent = self._sock.send(chunk)
            except OSError:
                with self._lock:
                    self._abandon()
                continue
            with self._lock:
                if sent and self._queue:
                    self._progress_at = time.monotonic()
                    self._bytes -= sent
                    rest = self._queue[0][sent:]
                    if rest:
                        self._queue[0] = rest
                    else:
                        self._queue.popleft()
                    if self._roomy is not None and self._has_room():
                        self._roomy.set()

    def _watch(self) -> None:
        """Called by the timers while a thread drains: no progress is an overflow, and a farewell is not
        waited for for ever."""
        now = time.monotonic()
        overflows = gives_up = False
        with self._lock:
            if not self._is_draining:
                self._is_watched = False
                return
            if self._is_open and now - self._progress_at > self._limits.stall_seconds:
                self._shed()
                overflows = True
            elif self._give_up_at is not None and now > self._give_up_at:
                gives_up = True
        if overflows:
            self._on_overflow()
        if gives_up:
            # makes the waiting send fail, in threads and greenlets alike
            shut_down(self._sock)
        self._call_later(self._limits.stall_seconds / 4, self._watch)

    def _has_room(self) -> bool:
        return self._bytes * 2 <= self._limits.max_bytes and len(self._queue) * 2 <= self._limits.max_frames

    def _close(self) -> None:
        self._is_open = False
        if self._roomy is not None:
            self._roomy.set()

    def _shed(self) -> None:
        """Drops what waits but the frame whose first bytes may be written already."""
        self._close()
        head = self._queue[0]
        self._queue.clear()
        self._queue.append(head)
        self._bytes = len(head)

    def _abandon(self) -> None:
        self._close()
        self._queue.clear()
        self._bytes = 0
        if self._give_up_at is None:
            self._give_up_at = 0.0


def shut_down(sock: socket.socket, directions: int = socket.SHUT_RDWR) -> None:
    """Ends directions of a socket, waking whoever waits on them; its descriptor stays."""
    with suppress(OSError):  # ended already
        sock.shutdown(directions)
