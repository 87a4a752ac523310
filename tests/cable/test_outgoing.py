"""The one writer of a socket, against real sockets whose other end reads or does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from jiki_core.cable.outgoing import OutgoingLimits, OutgoingQueue, shut_down
from jiki_core.cable.timers import Timers
from jiki_core.testing import wait_until

FRAME = bytes(range(256)) * 16


@dataclass
class Line:
    """Both ends of a connection with small buffers: some 300 KiB fit between them."""

    ours: socket.socket
    theirs: socket.socket
    overflows: list[float] = field(default_factory=list)

    def queue(self, **limits: float) -> OutgoingQueue:
        return OutgoingQueue(
            self.ours,
            OutgoingLimits(**limits),  # type: ignore[arg-type]  # the counts are whole numbers
            Timers().call_later,
            lambda: self.overflows.append(time.monotonic()),
        )

    def read_all(self) -> bytes:
        """Reads until the end."""
        received = bytearray()
        while chunk := self.theirs.recv(65_536):
            received += chunk
        return bytes(received)


@pytest.fixture
def line() -> Iterator[Line]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    with ours, theirs:
        theirs.settimeout(10)
        yield Line(ours, theirs)
        shut_down(ours)


def test_a_healthy_line_gets_frames_at_once_and_needs_no_thread(line: Line) -> None:
    queue = line.queue()
    before = set(threading.enumerate())
    queue.put(b"hello")
    assert line.theirs.recv(100) == b"hello"
    assert set(threading.enumerate()) <= before
    assert queue.queued_bytes == 0


def test_nothing_is_lost_or_mixed_when_the_reader_is_late(line: Line) -> None:
    queue = line.queue(max_bytes=10_000_000)
    for _ in range(300):
        queue.put(FRAME)
    assert queue.queued_bytes > 0
    queue.finish(b"the end")
    received = bytearray()
    while not received.endswith(b"the end"):
        received += line.theirs.recv(65_536)
    assert bytes(received) == FRAME * 300 + b"the end"
    assert line.overflows == []


def test_many_threads_never_tear_a_frame(line: Line) -> None:
    queue = line.queue(max_bytes=10_000_000)
    frames = [bytes([n]) * 3_000 for n in range(8)]
    threads = [threading.Thread(target=lambda one=frame: [queue.put(one) for _ in range(50)]) for frame in frames]
    for thread in threads:
        thread.start()
    received = bytearray()
    while len(received) < 8 * 50 * 3_000:
        received += line.theirs.recv(65_536)
    for thread in threads:
        thread.join()
    pieces = [bytes(received[start : start + 3_000]) for start in range(0, len(received), 3_000)]
    assert all(piece in frames for piece in pieces)
    assert [pieces.count(frame) for frame in frames] == [50] * 8


def test_too_many_bytes_are_an_overflow_and_memory_stays_bounded(line: Line) -> None:
    queue = line.queue(max_bytes=100_000)
    for _ in range(2_000):
        queue.put(FRAME)
        assert queue.queued_bytes <= 100_000 + len(FRAME)
    assert len(line.overflows) == 1
    assert queue.queued_bytes <= len(FRAME)


def test_too_many_frames_are_an_overflow(line: Line) -> None:
    queue = line.queue(max_frames=50)
    for _ in range(400_000):
        queue.put(b"tiny")
        if line.overflows:
            break
    assert len(line.overflows) == 1


def test_a_client_that_takes_nothing_is_an_overflow_after_a_while(line: Line) -> None:
    queue = line.queue(stall_seconds=0.2)
    for _ in range(300):
        queue.put(FRAME)
    wait_until(lambda: line.overflows, seconds=5, what="the overflow")


def test_a_client_that_takes_little_by_little_is_none(line: Line) -> None:
    queue = line.queue(stall_seconds=0.5, max_bytes=10_000_000)
    for _ in range(500):
        queue.put(FRAME)
    assert queue.queued_bytes > 0
    received = bytearray()
    while len(received) < 500 * len(FRAME):
        received += line.theirs.recv(32_768)
        threading.Event().wait(0.02)  # the slowness is what is tested
    assert bytes(received) == FRAME * 500
    assert line.overflows == []


def test_who_may_wait_goes_on_when_half_is_taken(line: Line) -> None:
    queue = line.queue(max_bytes=100_000)
    received = bytearray()

    def send_much() -> None:
        for _ in range(500):
            queue.wait_for_room()
            queue.put(FRAME)

    sending = threading.Thread(target=send_much)
    sending.start()
    while len(received) < 500 * len(FRAME):
        received += line.theirs.recv(65_536)
    sending.join(5)
    assert bytes(received) == FRAME * 500
    assert line.overflows == []


@pytest.mark.parametrize("end", ["stall", "finish", "abandon"])
def test_who_waits_for_room_does_not_wait_for_ever(line: Line, end: str) -> None:
    queue = line.queue(stall_seconds=0.2 if end == "stall" else 60, max_bytes=100_000, linger_seconds=0.2)
    while queue.queued_bytes * 2 <= 100_000:
        queue.put(FRAME)
    waiting = threading.Thread(target=queue.wait_for_room)
    waiting.start()
    if end != "stall":
        getattr(queue, end)()
    waiting.join(5)
    assert not waiting.is_alive()
    queue.abandon()


def test_after_an_overflow_the_farewell_follows_whole_frames(line: Line) -> None:
    queue = line.queue(max_bytes=100_000)
    while not line.overflows:
        queue.put(FRAME)
    queue.put(b"too late")
    queue.finish(b"too slow")
    received = bytearray()
    while not received.endswith(b"too slow"):
        received += line.theirs.recv(65_536)
    before = bytes(received.removesuffix(b"too slow"))
    assert before == FRAME * (len(before) // len(FRAME))


def test_nothing_follows_the_last_words(line: Line) -> None:
    queue = line.queue()
    queue.finish(b"bye")
    queue.put(b"more")
    queue.finish(b"more")
    queue.abandon()
    shut_down(line.ours)
    assert line.read_all() == b"bye"


def test_a_farewell_is_not_waited_for_for_ever(line: Line) -> None:
    queue = line.queue(stall_seconds=0.2, linger_seconds=0.3, max_bytes=10_000_000)
    for _ in range(300):
        queue.put(FRAME)
    queue.finish(b"bye")
    assert queue.wait_until_empty(5)
    assert not line.read_all().endswith(b"bye")


def test_a_line_that_broke_is_no_trouble_to_the_sender(line: Line) -> None:
    queue = line.queue()
    line.theirs.close()
    for _ in range(50):
        queue.put(FRAME)
    assert wait_until(lambda: queue.queued_bytes == 0, seconds=5)
