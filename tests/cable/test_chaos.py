"""Lines that break at random while messages are sent and serving processes are stopped and killed: extended clients get
each durable message once, in order, or are told of a loss; none hangs (issue F)."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from jiki_core.cable import publish
from jiki_core.testing import wait_until
from jiki_core.testing.pytest_plugin import scale, scaled

HERE = Path(__file__).parent
STREAMS = 20


def _workers(stage: Any) -> list[int]:
    with open(f"/proc/{stage.process.pid}/task/{stage.process.pid}/children") as children:
        return [int(child) for child in children.read().split()]


@pytest.mark.fault
@pytest.mark.timeout(240)
def test_nothing_is_lost_twice_or_out_of_order(
    make_stage: Any, client: redis.Redis, node_modules: Path, valkey: Any
) -> None:
    clients, count, seconds = scaled(200), scaled(5_000), max(8.0, 60 * scale())
    stage = make_stage(STAGE_WORKERS="2", STAGE_THREADS="400")
    node = subprocess.Popen(
        [
            "node",
            "chaos.mjs",
            f"ws://127.0.0.1:{stage.port}/cable",
            f"http://127.0.0.1:{stage.port}",
            *map(str, (clients, STREAMS, max(2.0, clients / 10))),
        ],
        cwd=HERE,
        env={**os.environ, "JIKI_NODE_MODULES": str(node_modules)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert node.stdin is not None
    assert node.stdout is not None
    try:
        assert node.stdout.readline() == "ready\n"
        sent = _send(client, stage, count, seconds)
        node.stdin.close()
        results = orjson.loads(node.stdout.readline())
    finally:
        node.kill()
        node.wait()
        for pipe in (node.stdin, node.stdout):
            pipe.close()
    assert len(results) == clients
    told = sum(result["lost"] > 0 for result in results)
    for result in results:
        assert result["state"] == "connected"
        expected, got = sent[result["stream"]], result["got"]
        if result["lost"]:
            assert got == sorted(set(got))
        else:
            assert got == expected
    # the log keeps a hundred messages of a stream: short absences must not be told as losses
    assert told <= clients / 10
    assert sum(result["restored"] for result in results) > 0


def _send(client: redis.Redis, stage: Any, count: int, seconds: float) -> dict[int, list[int]]:
    """Sends numbered durable messages evenly, each twice as a relay may, and ends the serving processes one by one."""
    sent: dict[int, list[int]] = {stream: [] for stream in range(STREAMS)}
    signals = itertools.cycle((signal.SIGTERM, signal.SIGKILL))
    began = time.monotonic()
    next_end = began + seconds / 6
    for n in range(count):
        stream = n % STREAMS
        for _ in range(2):
            publish(client, f"room/{100 + stream}", {"n": n}, durable_id=f"outbox-{n}")
        sent[stream].append(n)
        if time.monotonic() > next_end:
            next_end += seconds / 6
            os.kill(_workers(stage)[0], next(signals))
        due = began + seconds * (n + 1) / count
        wait_until(lambda due=due: time.monotonic() >= due)
    return sent
