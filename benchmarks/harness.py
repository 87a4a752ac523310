"""Runs servers side by side and asks each in turn: requests per second, latency, and server CPU per request.

CPU per request is the steadier figure (performance.md); it is read from /proc for the server's whole process tree.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jiki_core.devserver.ports import free_port

CONNECTIONS = 8
WORKERS = 2
THREADS = 8


@dataclass(frozen=True)
class Server:
    """A running server: where it listens and which process is its root."""

    name: str
    url: str
    pid: int


@dataclass(frozen=True)
class Round:
    """What one server did in one round."""

    requests: int
    seconds: float
    cpu_seconds: float
    latencies: Sequence[float]
    errors: int


@contextmanager
def gunicorn(name: str, app: str, environment: Mapping[str, str], here: Path) -> Iterator[Server]:
    """gunicorn gthread, two workers of eight threads, as all peers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS)]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "error", "--no-control-socket", app]
    process = subprocess.Popen(command, cwd=here, env={**os.environ, **environment})
    try:
        wait_for(f"http://127.0.0.1:{port}/health-check")
        yield Server(name, f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(url: str, seconds: float = 30) -> None:
    """Until a URL answers 200."""
    parts = urlsplit(url)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
            connection.request("GET", parts.path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)  # between two looks
    raise RuntimeError(f"{url} does not answer")


def measure(server: Server, path: str, headers: Mapping[str, str], seconds: float, method: str = "GET") -> Round:
    """Asks for one path from eight connections for a while."""
    parts = urlsplit(server.url)
    latencies: list[float] = []
    errors = [0]
    stop = time.perf_counter() + seconds

    def ask() -> None:
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        own: list[float] = []
        while (started := time.perf_counter()) < stop:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            errors[0] += answer.status != 200
            own.append(time.perf_counter() - started)
        latencies.extend(own)

    before, started = cpu_seconds(server.pid), time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    return Round(len(latencies), elapsed, cpu_seconds(server.pid) - before, sorted(latencies), errors[0])


def compare(
    servers: Sequence[tuple[Server, str, Mapping[str, str]]], seconds: float, rounds: int, method: str = "GET"
) -> dict[str, dict[str, Any]]:
    """(server, path, headers) each, interleaved; the first is the reference. Medians and ratios over the rounds."""
    for server, path, headers in servers:
        measure(server, path, headers, 0.5, method)
    results: dict[str, list[Round]] = {server.name: [] for server, _, _ in servers}
    for _ in range(rounds):
        for server, path, headers in servers:
            results[server.name].append(measure(server, path, headers, seconds, method))
    reference = results[servers[0][0].name]
    return {name: _summary(own, reference) for name, own in results.items()}


def _summary(own: Sequence[Round], reference: Sequence[Round]) -> dict[str, Any]:
    def per_second(one: Round) -> float:
        return one.requests / one.seconds

    def cpu(one: Round) -> float:
        return one.cpu_seconds / max(one.requests, 1) * 1e6

    latencies = sorted(value for one in own for value in one.latencies)
    pairs = list(zip(own, reference, strict=True))
    return {
        "requests_per_second": round(statistics.median(map(per_second, own)), 1),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 2),
        "server_cpu_us_per_request": round(statistics.median(map(cpu, own)), 1),
        "errors": sum(one.errors for one in own),
        "ratio_requests": round(statistics.median(per_second(a) / per_second(b) for a, b in pairs), 2),
        "ratio_cpu": round(statistics.median(cpu(b) / cpu(a) for a, b in pairs), 2),
    }


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all its descendants (Linux)."""
    return _ticks(root, user=True, kernel=True) / os.sysconf("SC_CLK_TCK")


def kernel_seconds(root: int) -> float:
    """The system's part of `cpu_seconds`."""
    return _ticks(root, user=False, kernel=True) / os.sysconf("SC_CLK_TCK")


def _tree(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, pending = [], [root]
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending += parents.get(pid, [])
    return found


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _ticks(root: int, *, user: bool, kernel: bool) -> int:
    found = [fields for pid in _tree(root) if (fields := _stat(pid))]
    return sum(user * int(fields[11]) + kernel * int(fields[12]) for fields in found)
