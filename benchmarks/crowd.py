"""Many sockets in one process, for the benchmarks of the cable: opens them, answers pings, notes when each frame came.

Run by `Crowd` as a process of its own (`python -m benchmarks.crowd`), so that what it costs disturbs no other clock.
Speaks bare WebSocket (RFC 6455) over epoll: a client library would cost more than the servers it measures.
"""

from __future__ import annotations

import base64
import json
import os
import re
import resource
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Self

#: handshakes under way at once: a listener's backlog must not be what is measured
_AT_ONCE = 100
_SENT = re.compile(rb'"sent":(\d+)')
_PONG = b"\x8a\x80\x00\x00\x00\x00"
_READ_BYTES = 262_144
#: between two parts of those that are only counted
_PART_SECONDS = 0.05


@dataclass(frozen=True)
class Crowded:
    """How opening went. Times are seconds."""

    opened: int
    failed: int
    seconds: float


@dataclass(frozen=True)
class Heard:
    """What came since the last question. Latencies are milliseconds from a message's `sent` to a socket that is timed, the
    last being the longest; `closed` counts sockets that ended so far."""

    frames: int
    p50_ms: float
    p99_ms: float
    last_ms: float
    closed: int


class Crowd:
    """`count` sockets at one server, each sending `subscribe` once it was welcomed and waiting for `awaits`.

    With `stalls`, the first socket stops reading once it is in. With `timed_one_in` above 1, the others are only read once a
    second and their frames counted: such a crowd takes little of the cores that it shares with what is measured.
    """

    def __init__(
        self,
        url: str,
        count: int,
        *,
        subscribe: str = "",
        awaits: str = "",
        stalls: bool = False,
        timed_one_in: int = 1,
    ) -> None:
        given = {
            "url": url,
            "count": count,
            "subscribe": subscribe,
            "awaits": awaits,
            "stalls": stalls,
            "timed_one_in": timed_one_in,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.crowd", json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.crowded = Crowded(**self._read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def heard(self, *, frames: int = 0, seconds: float = 0.0) -> Heard:
        """What came since the last call, once it is so many frames or so much time has passed."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{frames} {seconds}\n")
        self._process.stdin.flush()
        return Heard(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the crowd's process ended")
        found: dict[str, Any] = json.loads(line)
        return found


class _Line:
    """One socket: what came of an unfinished frame, and whether it is in."""

    __slots__ = ("is_in", "is_registered", "is_upgraded", "pending", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.pending = b""
        self.is_registered = True
        self.is_upgraded = False
        self.is_in = False


class _Process:
    """The crowd's own process."""

    def __init__(self, url: str, count: int, subscribe: str, awaits: str, *, stalls: bool, timed_one_in: int) -> None:
        rest = url.removeprefix("ws://")
        authority, slash, path = rest.partition("/")
        host, _, port = authority.partition(":")
        self._address = (host, int(port))
        self._authority, self._path = authority, slash + path
        self._count = count
        self._subscribe = _masked(subscribe.encode()) if subscribe else b""
        self._awaits = awaits.encode()
        self._stalls = stalls
        self._timed_one_in = timed_one_in
        # read once a second, a part of them at a time
        self._counted: deque[_Line] = deque()
        self._frames_counted = 0
        self._epoll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._in = self._failed = self._closed = 0
        self._arrivals: list[float] = []

    def open(self) -> Crowded:
        began = time.monotonic()
        waiting = deque(range(self._count))
        while self._in + self._failed < self._count:
            while waiting and len(self._lines) - self._in < _AT_ONCE:
                self._connect(is_first=waiting.popleft() == 0)
            self._poll(5.0)
            for _ in range(min(len(self._counted), _AT_ONCE)):  # pings want answers also while others come
                self._read_next()
            if time.monotonic() - began > 300:
                self._failed = self._count - self._in
        return Crowded(self._in, self._failed, round(time.monotonic() - began, 2))

    def follow(self) -> None:
        """Reads until standard input ends; answers each line on it."""
        stdin = sys.stdin.fileno()
        self._epoll.register(stdin, select.EPOLLIN)
        frames, deadline = -1, 0.0
        while True:
            if stdin in self._poll(_PART_SECONDS if self._counted else 0.5):
                asked = os.read(stdin, 64).split()
                if not asked:
                    return
                frames, deadline = int(asked[0]), time.monotonic() + float(asked[1])
            for _ in range(round(len(self._counted) * _PART_SECONDS)):
                self._read_next()
            came = len(self._arrivals) + self._frames_counted
            if frames >= 0 and (came >= frames or time.monotonic() > deadline):
                frames = -1
                print(json.dumps(asdict(self._heard())), flush=True)

    def _heard(self) -> Heard:
        latencies, self._arrivals = sorted(self._arrivals), []
        frames, self._frames_counted = len(latencies) + self._frames_counted, 0
        if not latencies:
            return Heard(frames, 0.0, 0.0, 0.0, self._closed)
        p50, p99 = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
        return Heard(frames, round(p50, 2), round(p99, 2), round(latencies[-1], 2), self._closed)

    def _read_next(self) -> None:
        """Reads the next of those that are not timed. Frames come whole, and a ping's bytes are in no JSON."""
        line = self._counted[0]
        self._counted.rotate(-1)
        try:
            data = line.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._counted.pop()
            self._lose(line.sock.fileno(), line)
            return
        self._frames_counted += data.count(b'"sent":')
        if b"\x89\x00" in data:
            line.sock.send(_PONG)

    def _connect(self, *, is_first: bool) -> None:
        sock = socket.socket()
        if is_first and self._stalls:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        try:
            sock.connect(self._address)
            sock.setblocking(False)
            key = base64.b64encode(os.urandom(16)).decode()
            sock.send(
                f"GET {self._path} HTTP/1.1\r\nHost: {self._authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                "Sec-WebSocket-Protocol: actioncable-v1-json\r\n\r\n".encode()
            )
        except OSError:
            sock.close()
            self._failed += 1
            return
        self._lines[sock.fileno()] = _Line(sock)
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def _poll(self, seconds: float) -> set[int]:
        """Reads what came; returns descriptors that are none of our sockets."""
        others = set()
        for descriptor, _ in self._epoll.poll(seconds, 10_000):
            line = self._lines.get(descriptor)
            if line is None:
                others.add(descriptor)
                continue
            try:
                data = line.sock.recv(_READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if data:
                self._take(line, data)
            else:
                self._lose(descriptor, line)
        return others

    def _lose(self, descriptor: int, line: _Line) -> None:
        if line.is_registered:
            self._epoll.unregister(descriptor)
        line.sock.close()
        del self._lines[descriptor]
        if line.is_in:
            self._closed += 1
            self._in -= 1
        else:
            self._failed += 1

    def _take(self, line: _Line, data: bytes) -> None:
        now = time.monotonic_ns()
        if line.is_in and not line.pending and _is_one_text(data):  # nearly always: the crowd must not be what is slow
            if stamp := _SENT.search(data):
                self._arrivals.append((now - int(stamp[1])) / 1e6)
            return
        if line.pending:
            data = line.pending + data
        if not line.is_upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                line.pending = head
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                line.sock.shutdown(socket.SHUT_RDWR)  # read as lost
                return
            line.is_upgraded = True
            if self._subscribe:
                line.sock.send(self._subscribe)
            if not self._awaits:
                self._enter(line)
        at = 0
        while len(data) - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                start += 2
                length = int.from_bytes(data[at + 2 : start])
            elif length == 127:
                start += 8
                length = int.from_bytes(data[at + 2 : start])
            if len(data) < start + length:
                break
            self._frame(line, data[at], data[start : start + length], now)
            at = start + length
        line.pending = data[at:]

    def _frame(self, line: _Line, first: int, payload: bytes, now: int) -> None:
        if first == 0x89:
            line.sock.send(_PONG)
        elif not line.is_in:
            if self._awaits in payload:
                self._enter(line)
        elif found := _SENT.search(payload):
            self._arrivals.append((now - int(found[1])) / 1e6)

    def _enter(self, line: _Line) -> None:
        line.is_in = True
        self._in += 1
        if self._stalls and self._in == 1:
            self._leave_alone(line)
        elif self._in % self._timed_one_in:
            self._leave_alone(line)
            self._counted.append(line)

    def _leave_alone(self, line: _Line) -> None:
        line.is_registered = False
        self._epoll.unregister(line.sock.fileno())


def _is_one_text(data: bytes) -> bool:
    """Whether this is one whole text frame of medium size, as broadcasts are."""
    return len(data) > 4 and data[0] == 0x81 and data[1] == 126 and len(data) == 4 + (data[2] << 8 | data[3])


def _masked(payload: bytes) -> bytes:
    """A client's text frame, with a mask of zeros, under 126 bytes."""
    if len(payload) > 125:
        raise ValueError("the subscribe command is too long for a small frame")
    return bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload


def main() -> None:
    given = json.loads(sys.argv[1])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = _Process(
        given["url"],
        given["count"],
        given["subscribe"],
        given["awaits"],
        stalls=given["stalls"],
        timed_one_in=given["timed_one_in"],
    )
    print(json.dumps(asdict(crowd.open())), flush=True)
    crowd.follow()


if __name__ == "__main__":
    main()
