"""Fifty people signing in at once beside /health-check: its latency with and without them (password hashes take turns)."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness import Server, gunicorn, measure
from benchmarks.stage import ROOT, staged
from jiki_core.app import create_app
from jiki_core.settings import Sources

PEOPLE = 50


def run(seconds: float, rounds: int) -> dict[str, Any]:
    """Hashes cost what they cost in production: the stage's test environment has no settings of its own for them."""
    with staged() as stage:
        app = create_app("web", sources=Sources({}, stage.environment))
        from jiki_auth.testing import make_user

        people = [make_user(app) for _ in range(PEOPLE)]
        with gunicorn("jiki", "wsgi:app", {**stage.environment, "JIKI_ROLE": "web"}, ROOT) as server:
            alone, beside, signed_in = [], [], 0
            for _ in range(rounds):
                alone += measure(server, "/health-check", {}, seconds).latencies
                with _signing_in(server, [(one.email, one.password) for one in people]) as counts:
                    beside += measure(server, "/health-check", {}, seconds).latencies
                signed_in += sum(counts)
    return {
        "alone": _percentiles(alone),
        "beside_sign_ins": _percentiles(beside),
        "sign_ins_per_second": round(signed_in / (seconds * rounds), 1),
    }


@contextmanager
def _signing_in(server: Server, people: Sequence[tuple[str, str]]) -> Iterator[list[int]]:
    """Everybody signs in again and again, each from an address of their own; yields how often each did."""
    stop, counts = threading.Event(), [0] * len(people)
    parts = urlsplit(server.url)

    def sign_in(number: int) -> None:
        email, password = people[number]
        body = json.dumps({"user": {"email": email, "password": password}})
        headers = {"Content-Type": "application/json", "CF-Connecting-IP": f"198.51.100.{number + 1}"}
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        while not stop.is_set():
            connection.request("POST", "/api/v1/auth/login", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                counts[number] += 1
            else:
                time.sleep(0.2)  # throttled or busy: a person would wait, too

    threads = [threading.Thread(target=sign_in, args=(number,)) for number in range(len(people))]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        stop.set()
        for thread in threads:
            thread.join(90)


def _percentiles(latencies: Sequence[float]) -> dict[str, float]:
    ordered = sorted(latencies)
    return {
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
    }
