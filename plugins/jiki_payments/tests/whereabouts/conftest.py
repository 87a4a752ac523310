"""Reputation services on a port of this machine, speaking their public formats."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Reputation:
    """`suspects`: addresses that hide their user. `paths`: what was asked."""

    url: str = ""
    suspects: set[str] = field(default_factory=set)
    status: int = 200
    body: bytes | None = None
    paths: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    #: before the answer, or within its body
    hangs: bool = False
    stops_midway: bool = False

    def answer(self, path: str) -> bytes:
        if self.body is not None:
            return self.body
        if path.startswith("/v2/"):
            ip = path.removeprefix("/v2/").partition("?")[0]
            facts = {"proxy": "yes", "type": "VPN", "provider": "Hideaway"} if ip in self.suspects else {"proxy": "no"}
            return json.dumps({"status": "ok", ip: facts}).encode()
        ip = path.rpartition("/")[2].partition("?")[0]
        hidden = ip in self.suspects
        return json.dumps({"success": True, "vpn": hidden, "proxy": hidden, "tor": False, "ISP": "Example"}).encode()


@pytest.fixture
def reputation() -> Iterator[Reputation]:
    service = Reputation()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.paths.append(self.path)
            if service.hangs:
                service.release.wait(10)
            body = service.answer(self.path)
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if service.stops_midway:
                self.wfile.write(body[:5])
                service.release.wait(10)
                return
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield service
    service.release.set()
    listener.shutdown()
    listener.server_close()
    thread.join(5)
