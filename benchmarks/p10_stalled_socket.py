"""P10: one of 21 sockets stops reading while 3,000 messages of 2 KB are sent: what the others get, and what memory it takes."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.socket_servers import SocketServer, resident_kib, socket_servers, stamped
from benchmarks.stage import staged

SOCKETS = 21
MESSAGES = 3_000
PADDING = "x" * 2_000


def run(seconds: float, rounds: int) -> dict[str, Any]:
    """One round whatever is asked for: `healthy` of `expected` frames (P10: all of them)."""
    del seconds, rounds
    with staged() as stage, socket_servers(stage, connections=SOCKETS) as servers:
        return {one.server.name: _measure(one) for one in servers}


def _measure(one: SocketServer) -> dict[str, Any]:
    with one.crowd(SOCKETS, stalls=True) as crowd:
        before = peak = resident_kib(one.server.pid)
        expected = MESSAGES * (crowd.crowded.opened - 1)
        began = time.monotonic()
        for number in range(MESSAGES):
            one.broadcast(stamped(number, padding=PADDING))
            if number % 100 == 0:
                peak = max(peak, resident_kib(one.server.pid))
        frames = crowd.heard(frames=expected, seconds=20).frames
        peak = max(peak, resident_kib(one.server.pid))
    return {
        "healthy": frames,
        "expected": expected,
        "seconds": round(time.monotonic() - began, 1),
        "memory_growth_kib": peak - before,
    }
