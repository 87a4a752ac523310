"""What the cable's benchmarks compare: our cable with every layer on, Node's `ws`, and asyncio without a library.

Each is one process that holds all sockets, and sends to all of them what `broadcast` gives it.
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import redis

from benchmarks.crowd import Crowd
from benchmarks.harness import Server, wait_for
from benchmarks.stage import ROOT, Stage
from jiki_core.cable import publish
from jiki_core.devserver.ports import free_port

PEERS = ROOT / "benchmarks" / "peers"
_TEXT = "new texts are there: " + "load them when you have a moment. " * 3
#: a stream that everybody who is signed in may follow
STREAM = "i18n/publications"
_SUBSCRIBE = json.dumps({"command": "subscribe", "identifier": '{"channel":"PublicationsChannel"}'})


@dataclass(frozen=True)
class SocketServer:
    """A server of sockets. `open_url` is asked for each crowd anew, because a token soon runs out."""

    server: Server
    open_url: Callable[[], str]
    broadcast: Callable[[Mapping[str, Any]], object]
    subscribe: str = ""
    awaits: str = ""

    def crowd(self, count: int, *, stalls: bool = False, timed_one_in: int = 1) -> Crowd:
        """So many sockets, once all are in."""
        said = {"subscribe": self.subscribe, "awaits": self.awaits}
        return Crowd(self.open_url(), count, stalls=stalls, timed_one_in=timed_one_in, **said)


@contextmanager
def socket_servers(stage: Stage, *, connections: int) -> Iterator[Sequence[SocketServer]]:
    """All three, started anew so that memory is comparable; ours is first. Without Node's packages there is no `ws`."""
    with ExitStack() as stack:
        found = [stack.enter_context(our_cable(stage, connections=connections))]
        if (Path(os.environ.get("JIKI_NODE_MODULES", "nowhere")) / "ws").is_dir():
            found.append(stack.enter_context(_peer("node ws", ["node", str(PEERS / "node_ws.mjs")])))
        asyncio_peer = [sys.executable, "-m", "benchmarks.peers.bare_asyncio"]
        found.append(stack.enter_context(_peer("bare asyncio", asyncio_peer)))
        yield found


@contextmanager
def our_cable(stage: Stage, *, connections: int) -> Iterator[SocketServer]:
    """As in production: gunicorn with gevent, one worker, all plugins."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:jiki_core.serving.cable"]
    environment = {**stage.environment, "JIKI_CABLE_MAX_CONNECTIONS": str(connections)}
    client = redis.Redis.from_url(stage.environment["REDIS_URL"])
    with _running([*command, "-b", f"127.0.0.1:{port}", "wsgi:app"], environment) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health-check")

        def open_url() -> str:
            headers = {"Authorization": f"Bearer {stage.access_token}", "Content-Type": "application/json"}
            token = json.loads(_post(url, "/api/v1/internal/cable_token", b"{}", headers))["token"]
            return f"ws://127.0.0.1:{port}/cable?jid={token}"

        broadcast = functools.partial(publish, client, STREAM)
        yield SocketServer(Server("jiki", url, process.pid), open_url, broadcast, _SUBSCRIBE, '"confirm_subscription"')
    client.close()


@contextmanager
def _peer(name: str, command: Sequence[str]) -> Iterator[SocketServer]:
    port = free_port()
    with _running([*command, str(port)], {}) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/")
        yield SocketServer(
            Server(name, url, process.pid),
            lambda: f"ws://127.0.0.1:{port}/cable",
            lambda message: _post(url, "/broadcast", orjson.dumps({"message": message}), {}),
        )


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _post(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    connection.request("POST", path, body, dict(headers))
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"POST {path}: {answer.status} {read[:200]!r}")
    return read


def stamped(number: int, **members: Any) -> dict[str, Any]:
    """A message of some 200 bytes that carries the moment at which it was sent, on the clock that all processes share."""
    return {"type": "published", "n": number, "text": _TEXT, **members, "sent": time.monotonic_ns()}


def resident_kib(root: int) -> int:
    """Resident memory of the biggest process in a server's tree, in KiB: the one that holds the sockets."""
    pids = [root]
    for task in Path(f"/proc/{root}/task").iterdir():
        pids += map(int, (task / "children").read_text().split())
    return max(map(_resident_kib, pids))


def _resident_kib(pid: int) -> int:
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1])
