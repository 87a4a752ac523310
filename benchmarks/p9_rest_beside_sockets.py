"""P9: REST latency in `web` while 5,000 sockets are idle in `cable`, and during 5 broadcasts/s to them, over without."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness import Server, cpu_seconds, gunicorn
from benchmarks.socket_servers import SocketServer, our_cable, stamped
from benchmarks.stage import ROOT, staged
from benchmarks.w3_lesson import SLUG

SOCKETS = 5_000
BROADCASTS_PER_SECOND = 5
#: one client asks this often: latency is measured, not capacity
_PER_SECOND = 50


def run(seconds: float, rounds: int) -> dict[str, Any]:
    """`alone`, `idle` and `broadcasting` by route; the P9 ratio is p99 while broadcasting over p99 alone (at most 1.5)."""
    lasting = seconds * rounds
    with (
        staged() as stage,
        our_cable(stage, connections=SOCKETS) as cable,
        gunicorn("web", "wsgi:app", {**stage.environment, "JIKI_ROLE": "web"}, ROOT) as web,
    ):
        headers = {"Authorization": f"Bearer {stage.access_token}"}
        routes = {"health": ("/health-check", {}), "lesson": (f"/api/v1/internal/lessons/{SLUG}", headers)}

        def ask_all() -> dict[str, list[float]]:
            return {name: _ask(web, path, sent, lasting) for name, (path, sent) in routes.items()}

        ask_all()  # warm
        phases = {"alone": ask_all()}
        with cable.crowd(SOCKETS, timed_one_in=20) as crowd:
            phases["idle"] = ask_all()
            began, started = cpu_seconds(cable.server.pid), time.monotonic()
            with _broadcasting(cable) as sent:
                phases["broadcasting"] = ask_all()
            heard = crowd.heard(frames=len(sent) * crowd.crowded.opened, seconds=30)
            cpu = (cpu_seconds(cable.server.pid) - began) / (time.monotonic() - started)
    return {
        "sockets": crowd.crowded.opened,
        "fan_out": {
            "p50_ms": heard.p50_ms,
            "p99_ms": heard.p99_ms,
            "frames": heard.frames,
            "frames_missing": len(sent) * crowd.crowded.opened - heard.frames,
            "closed": heard.closed,
            "cable_cpu_percent": round(cpu * 100, 1),
        },
        **{
            name: {
                **{phase: _percentiles(found[name]) for phase, found in phases.items()},
                "ratio_p99": round(_at(phases["broadcasting"][name], 0.99) / _at(phases["alone"][name], 0.99), 2),
            }
            for name in routes
        },
    }


def _ask(server: Server, path: str, headers: Mapping[str, str], seconds: float) -> list[float]:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    latencies = []
    began = time.perf_counter()
    while (started := time.perf_counter()) < began + seconds:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        latencies.append(time.perf_counter() - started)
        time.sleep(max(0.0, 1 / _PER_SECOND - latencies[-1]))  # the pace of the measurement
    connection.close()
    return sorted(latencies)


@contextmanager
def _broadcasting(cable: SocketServer) -> Iterator[list[int]]:
    """Sends in a thread of its own; yields the numbers of what was sent."""
    stop = threading.Event()
    sent: list[int] = []

    def send() -> None:
        while not stop.wait(1 / BROADCASTS_PER_SECOND):
            cable.broadcast(stamped(len(sent)))
            sent.append(len(sent))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


def _percentiles(latencies: list[float]) -> dict[str, float]:
    return {"p50_ms": round(_at(latencies, 0.5) * 1000, 2), "p99_ms": round(_at(latencies, 0.99) * 1000, 2)}


def _at(latencies: list[float], share: float) -> float:
    return latencies[int(len(latencies) * share)]
