"""P7: a broadcast to 1,000 and 5,000 sockets of one process: opening, memory, time to each and to the last, CPU per frame."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.crowd import Crowd, Crowded, Heard
from benchmarks.harness import cpu_seconds, kernel_seconds
from benchmarks.socket_servers import SocketServer, resident_kib, socket_servers, stamped
from benchmarks.stage import staged

SIZES = (1_000, 5_000)
#: a crowd that times every frame is slower than the servers, and would be what is measured
TIMED_ONE_IN = 10
#: from one broadcast to the next, when the first has reached everybody by then
_PAUSE_SECONDS = 0.4
#: what did not come by then is missing
_LOST_SECONDS = 15.0


def run(seconds: float, rounds: int) -> dict[str, Any]:
    """For each size all servers anew, in turn; ratios are ours over theirs in the same round (P7: `ws` at 5,000: last at
    most 0.9, CPU at most 0.8)."""
    found = {}
    with staged() as stage:
        for size in SIZES:
            with socket_servers(stage, connections=size) as servers:
                collected: dict[str, list[dict[str, Any]]] = {one.server.name: [] for one in servers}
                for _ in range(rounds):
                    for one in servers:
                        collected[one.server.name].append(_round(one, size, seconds))
            found[str(size)] = {name: _summary(own, collected["jiki"]) for name, own in collected.items()}
    return found


def _round(one: SocketServer, size: int, seconds: float) -> dict[str, Any]:
    before, began = resident_kib(one.server.pid), cpu_seconds(one.server.pid)
    with one.crowd(size, timed_one_in=TIMED_ONE_IN) as crowd:
        after, opening = resident_kib(one.server.pid), cpu_seconds(one.server.pid) - began
        _broadcast(one, crowd, 2)  # both sides are warm
        count = max(2, int(seconds / _PAUSE_SECONDS))
        idle = _cpu_share(one, lambda: time.sleep(seconds))
        began, in_kernel, started = cpu_seconds(one.server.pid), kernel_seconds(one.server.pid), time.monotonic()
        heard = _broadcast(one, crowd, count)
        # pings go on meanwhile, at ours only: they are not what a frame of a broadcast costs
        cpu = cpu_seconds(one.server.pid) - began - idle * (time.monotonic() - started)
        kernel = kernel_seconds(one.server.pid) - in_kernel
    return {
        "crowded": crowd.crowded,
        "heard": heard,
        "frames": sum(part.frames for part in heard),
        "cpu": cpu,
        "kernel": kernel,
        "idle": idle,
        "sent": count,
        "kib": (after - before) / size,
        "opening": opening / size,
    }


def _broadcast(one: SocketServer, crowd: Crowd, count: int) -> list[Heard]:
    """Sends one after the other, each when the one before has reached everybody."""
    heard = []
    for number in range(count):
        paced = time.monotonic() + _PAUSE_SECONDS
        one.broadcast(stamped(number))
        heard.append(crowd.heard(frames=crowd.crowded.opened, seconds=_LOST_SECONDS))
        time.sleep(max(0.0, paced - time.monotonic()))  # the pace of the measurement
    return heard


def _cpu_share(one: SocketServer, wait: Callable[[], None]) -> float:
    """Cores that the server takes while nothing is sent."""
    began, started = cpu_seconds(one.server.pid), time.monotonic()
    wait()
    return (cpu_seconds(one.server.pid) - began) / (time.monotonic() - started)


def _summary(own: Sequence[dict[str, Any]], ours: Sequence[dict[str, Any]]) -> dict[str, Any]:
    heard: list[Heard] = [part for one in own for part in one["heard"]]
    pairs = list(zip(ours, own, strict=True))
    return {
        "opened": own[0]["crowded"].opened,
        "failed": sum(one["crowded"].failed for one in own),
        "opened_per_second": round(statistics.median(_opened_per_second(one) for one in own)),
        "server_cpu_ms_per_opening": round(statistics.median(one["opening"] for one in own) * 1000, 2),
        "kib_per_idle_socket": round(own[0]["kib"], 1),
        "p50_ms": round(statistics.median(one.p50_ms for one in heard), 1),
        "p99_ms": round(statistics.median(one.p99_ms for one in heard), 1),
        "last_ms": round(statistics.median(map(_last, own)), 1),
        "server_cpu_us_per_frame": round(statistics.median(map(_cpu, own)), 1),
        # what sending costs whoever sends
        "of_which_kernel_us": round(statistics.median(one["kernel"] / max(1, one["frames"]) for one in own) * 1e6, 1),
        "server_cpu_percent_idle": round(statistics.median(one["idle"] for one in own) * 100, 1),
        "frames_missing": sum(one["sent"] * one["crowded"].opened - one["frames"] for one in own),
        "ratio_last": round(statistics.median(_last(a) / _last(b) for a, b in pairs), 2),
        "ratio_cpu": round(statistics.median(_cpu(a) / _cpu(b) for a, b in pairs), 2),
    }


def _opened_per_second(one: dict[str, Any]) -> float:
    crowded: Crowded = one["crowded"]
    return crowded.opened / max(0.01, crowded.seconds)


def _last(one: dict[str, Any]) -> float:
    heard: list[Heard] = one["heard"]
    return statistics.median(part.last_ms for part in heard)


def _cpu(one: dict[str, Any]) -> float:
    """Microseconds of a frame; at least a tick of the system's clock, which is all that can be told apart."""
    return float(max(0.01, one["cpu"]) / max(1, one["frames"]) * 1e6)
