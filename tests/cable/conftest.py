"""What the cable's tests stand on: a real Valkey that can be stopped, time that can be moved, a socket in memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
import requests
import websocket

from jiki_core.cable import CableLimits, CableServer, CableServices, Channel, ChannelRegistry, Refused, Registered
from jiki_core.cable.clock import Clock
from jiki_core.cable.connection import Connection
from jiki_core.cable.protocol import Dialect
from jiki_core.cable.transport import Peer, TransportClosed
from jiki_core.devserver.ports import free_port
from jiki_core.devserver.valkey import find_server
from jiki_core.security import Identity
from jiki_core.testing import wait_until

HERE = Path(__file__).parent


class ValkeyServer:
    """A Valkey without files on a free port of ours."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = tempfile.mkdtemp(prefix="jiki-cable-")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder]
        self._process = subprocess.Popen([find_server(), *arguments], stdout=subprocess.DEVNULL)
        with self.client() as client:
            wait_until(lambda: self._answers(client), what="Valkey's first answer")

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """It accepts connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def _answers(client: redis.Redis) -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[ValkeyServer]:
    server = ValkeyServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def valkey(shared_valkey: ValkeyServer) -> ValkeyServer:
    """Empty, and shared with other tests: not to be stopped."""
    with shared_valkey.client() as client:
        client.flushall()
    return shared_valkey


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """One that a test may stop."""
    server = ValkeyServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def client(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    with valkey.client() as connected:
        yield connected


class ManualClock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.began = time.time() - self.seconds

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.began + self.seconds, monotonic=lambda: self.seconds, sleep=self.advance)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class MemoryTransport:
    """A socket in memory: what was said to it, and what it will say."""

    def __init__(self, clock: ManualClock, subprotocol: str | None, query: str = "", **environ: str) -> None:
        self.environ: Mapping[str, Any] = {"QUERY_STRING": query, **environ}
        self.frames: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.to_say: deque[str] = deque()
        self.heard_at = clock.seconds
        self._subprotocol = subprotocol

    @property
    def peer(self) -> Peer:
        return Peer("192.0.2.1", self._subprotocol, self.heard_at)

    @property
    def is_gone(self) -> bool:
        return self.closed is not None

    def receive(self, timeout: float) -> str | None:
        if self.closed is not None or not self.to_say:
            raise TransportClosed
        return self.to_say.popleft()

    def send(self, frame: bytes) -> None:
        if self.closed is None:
            self.frames.append(frame)

    def wait_for_room(self) -> None:
        pass  # memory has room

    def close(self, code: int, reason: str = "", farewell: bytes = b"") -> None:
        if farewell:
            self.send(farewell)
        self.closed = self.closed or (code, reason)

    @property
    def said(self) -> list[dict[str, Any]]:
        """The text messages so far."""
        return [orjson.loads(_payload(frame)) for frame in self.frames if frame[0] == 0x81]

    def take(self) -> list[dict[str, Any]]:
        """The text messages since the last call, pings left out."""
        said = [message for message in self.said if message.get("type") != "ping"]
        self.frames.clear()
        return said


def _payload(frame: bytes) -> bytes:
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]


@dataclass
class Desk:
    """A cable without threads of its own (but the hub's), and the switches of its surroundings."""

    server: CableServer
    time: ManualClock
    paused: set[str]
    permissions: set[str]
    revoked: set[int]
    committed: list[str] = field(default_factory=list)

    def connect(
        self,
        *,
        user_id: int = 42,
        dialect: Dialect | None = Dialect.EXTENDED,
        query: str = "",
        session: str = "s1",
        expires_in: float | None = None,
        **environ: str,
    ) -> Visitor:
        """A welcome client."""
        transport = self.transport(dialect, query, **environ)
        sid = f"sid-of-a-visitor-{len(self.visitors)}"
        now = self.time.began + self.time.seconds
        expires_at = None if expires_in is None else datetime.fromtimestamp(now + expires_in, UTC)
        identity = Identity(user_id, "session", session, expires_at=expires_at)
        connection = Connection(self.server, transport, identity, sid)
        self.server._register(connection)
        visitor = Visitor(connection, transport)
        self.visitors.append(visitor)
        connection.open()
        return visitor

    visitors: list[Visitor] = field(default_factory=list)
    #: what asking for a permission raises
    failure: Exception | None = None

    def authorize(self, _identity: Identity, permission: str) -> bool:
        if self.failure is not None:
            raise self.failure
        return permission in self.permissions

    def transport(self, dialect: Dialect | None, query: str = "", **environ: str) -> MemoryTransport:
        """A socket after its upgrade, before anything is said."""
        return MemoryTransport(self.time, dialect, query, **environ)

    def pass_time(self, seconds: float, *, step: float = 0.5) -> None:
        """Lets time pass, with what is due in it."""
        while seconds > 0:
            self.time.advance(min(step, seconds))
            seconds -= step
            self.server.timers.run_due()
            self.server.errands.run_pending()

    def run_in_unit(self, call: Callable[[Any], Any]) -> Any:
        """Remembers which units were committed."""
        try:
            effects = call(None)
        except BaseException:
            self.committed.append("rolled back")
            raise
        self.committed.append("committed")
        return effects

    @contextlib.contextmanager
    def app_context(self, _identity: Identity | None) -> Iterator[None]:
        yield None


@dataclass
class Visitor:
    """A client's end of a conversation."""

    connection: Connection
    transport: MemoryTransport

    def command(self, name: str, identifier: str = "", **members: Any) -> list[dict[str, Any]]:
        """Sends a command; returns what is said at once."""
        frame = {"command": name, **({"identifier": identifier} if identifier else {}), **members}
        self.connection.handle(orjson.dumps(frame).decode())
        return self.transport.take()

    def perform(self, identifier: str, **data: Any) -> list[dict[str, Any]]:
        return self.command("message", identifier, data=orjson.dumps(data).decode())

    def hears(self, count: int = 1) -> list[dict[str, Any]]:
        """Waits for `count` messages from other threads."""
        wait_until(lambda: len(self._spoken()) >= count, seconds=5, what=f"{count} messages")
        return self.transport.take()

    def _spoken(self) -> list[dict[str, Any]]:
        return [message for message in self.transport.said if message.get("type") != "ping"]

    def leave(self) -> None:
        """The socket ends without a word."""
        self.transport.closed = (1006, "")
        self.connection.close()
        self.connection._server._unregister(self.connection)


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(valkey: ValkeyServer) -> Iterator[MakeDesk]:
    """Builds a cable for some channel classes: `make_desk(RoomChannel, limits=…, url=…)`."""
    desks: list[Desk] = []

    def make(
        *channels: type[Channel],
        limits: CableLimits | None = None,
        url: str = valkey.url,
        authenticate: Callable[[Any], Identity | Refused] = lambda _environ: Refused(),
    ) -> Desk:
        now, paused, permissions, revoked = ManualClock(), set(), {"rooms.enter"}, set()
        desk: Desk
        services = CableServices(
            channels=ChannelRegistry([Registered("rooms", channel) for channel in channels]),
            authenticate=authenticate,
            is_current=lambda identity: identity.user_id not in revoked,
            authorize=lambda identity, permission: desk.authorize(identity, permission),
            app_context=lambda identity: desk.app_context(identity),
            run_in_unit=lambda call: desk.run_in_unit(call),
            is_paused=paused.__contains__,
            is_outage=lambda error: isinstance(error, ConnectionError),
            redis_url=url,
            limits=limits or CableLimits(),
            clock=now.clock(),
        )
        desk = Desk(CableServer(services, has_threads=False), now, paused, permissions, revoked)
        desk.server.start()
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        for visitor in desk.visitors:
            if visitor.transport.closed is None:
                visitor.leave()
        desk.server.stop()


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()


_opened: list[websocket.WebSocket] = []


@pytest.fixture(autouse=True)
def _close_sockets() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().shutdown()


class Stage:
    """stage.py under gunicorn, with a client of each kind."""

    def __init__(self, mode: str, valkey: ValkeyServer, **environment: str) -> None:
        self.mode = mode
        self.port = free_port()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "stage_gunicorn.py", "-b", f"127.0.0.1:{self.port}", "stage:app"],
            cwd=HERE,
            env={
                **os.environ,
                "PYTHONPATH": f"{HERE.parents[1]}{os.pathsep}{HERE}",
                "REDIS_URL": valkey.url,
                "STAGE_MODE": mode,
                **environment,
            },
            stdout=self.log,
            stderr=self.log,
        )
        wait_until(self._answers, seconds=20, what="the stage")

    def get(self, path: str) -> Any:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def post(self, path: str, body: Any = None) -> Any:
        answer = requests.post(f"http://127.0.0.1:{self.port}{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer

    def publish(self, stream: str, *messages: dict[str, Any], **options: Any) -> None:
        self.post("/publish", {"stream": stream, "messages": messages, "options": options})

    def state(self) -> dict[str, Any]:
        return self.get("/state").json()  # type: ignore[no-any-return]

    def token(self, user_id: int = 42, **query: int) -> str:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return self.get(f"/token/{user_id}?{asked}").text  # type: ignore[no-any-return]

    def open(
        self,
        *,
        token: str | None = "",
        subprotocols: Sequence[str] = ("actioncable-v1-ext-json",),
        query: str = "",
        **options: Any,
    ) -> websocket.WebSocket:
        """A socket after its handshake; `token=None` brings none."""
        jid = [f"jid={token or self.token()}"] if token is not None else []
        url = f"ws://127.0.0.1:{self.port}/cable?{'&'.join([*jid, *([query] if query else [])])}"
        options.setdefault("suppress_origin", True)
        sock = websocket.create_connection(url, timeout=10, subprotocols=list(subprotocols), **options)
        _opened.append(sock)
        return sock

    def welcome(self, **options: Any) -> websocket.WebSocket:
        """An open socket that has been welcomed."""
        sock = self.open(**options)
        assert hear(sock)["type"] == "welcome"
        return sock

    def printed(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.printed()
        try:
            return bool(self.get("/state").ok)
        except requests.ConnectionError:
            return False


def hear(sock: websocket.WebSocket) -> dict[str, Any]:
    """The next message that is no ping."""
    while True:
        message: dict[str, Any] = orjson.loads(sock.recv())
        if message.get("type") != "ping":
            return message


@pytest.fixture(scope="module", params=["gthread", "gevent"])
def stage(request: pytest.FixtureRequest, shared_valkey: ValkeyServer) -> Iterator[Stage]:
    """The stage in both serving modes; shared by the tests of a module."""
    running = Stage(request.param, shared_valkey)
    yield running
    running.close()


@pytest.fixture(params=["gthread", "gevent"])
def make_stage(request: pytest.FixtureRequest, valkey: ValkeyServer) -> Iterator[Callable[..., Stage]]:
    """Stages that a test may end, in both serving modes."""
    made: list[Stage] = []

    def make(**environment: str) -> Stage:
        made.append(Stage(request.param, valkey, **environment))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def next_message() -> Callable[[websocket.WebSocket], dict[str, Any]]:
    return hear
