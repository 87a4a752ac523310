"""From a commit to its job's effect: straight, through the relay, and with plain RQ; p50 and p99 at forty a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import rq

from benchmarks.job_stage import DONE, OUR_SCHEDULER, OUR_WORKER, PLAIN_FORK, PLAIN_SIMPLE, JobStage, staged_jobs
from jiki_core.db import unit_of_work
from jiki_core.db.outbox import JobOptions

PER_SECOND = 40


def run(seconds: float, rounds: int) -> dict[str, Any]:
    """One worker each; what forks gets fewer, because it is slower than forty a second."""
    waited: dict[str, list[float]] = {}
    with staged_jobs() as stage:
        queue = rq.Queue("plain", connection=stage.valkey)

        def straight(key: str) -> None:
            _ask(stage, key, None)

        def relayed(key: str) -> None:
            _ask(stage, key, f"line {key}")

        def plain(key: str) -> None:
            stage.sql("insert into bench_effects (key) values ('asked')")
            queue.enqueue("benchmarks.peers.plain_rq.take_effect", key)

        for _ in range(rounds):
            for name, workers, ask, per_second in (
                ("jiki, straight", (OUR_SCHEDULER, OUR_WORKER), straight, PER_SECOND),
                ("jiki, through the relay", (OUR_SCHEDULER, OUR_WORKER), relayed, PER_SECOND),
                ("plain RQ SimpleWorker", (PLAIN_SIMPLE,), plain, PER_SECOND),
                ("plain RQ default worker", (PLAIN_FORK,), plain, 10),
            ):
                stage.empty()
                stage.valkey.flushdb()
                with stage.running(*workers):
                    stage.wait_for_workers(1)
                    if OUR_SCHEDULER in workers:
                        stage.wait_for_scheduler()
                    waited.setdefault(name, []).extend(_measure(stage, ask, int(seconds * per_second), per_second))
    return {name: _percentiles(found) for name, found in waited.items()}


def _ask(stage: JobStage, key: str, order_key: str | None) -> None:
    """Jobs with a turn to wait for always go through the relay."""
    from acme_bench.work import take_effect  # type: ignore[import-not-found]  # the stage makes it

    with stage.app.app_context(), unit_of_work() as uow:
        uow.enqueue_with(JobOptions(order_key=order_key), take_effect, key=key)


def _measure(stage: JobStage, ask: Callable[[str], None], count: int, per_second: int) -> list[float]:
    """Seconds from the end of each commit to the end of its job's commit; the first ten are warm-up."""
    asked: dict[str, float] = {}
    pause = threading.Event()
    started = time.perf_counter()
    for number in range(count + 10):
        pause.wait(max(0.0, started + number / per_second - time.perf_counter()))
        ask(str(number))
        asked[str(number)] = time.time()
    stage.wait_for(lambda: stage.valkey.llen(DONE) >= count + 10, "the end of all jobs")
    told = [entry.decode().split() for entry in stage.valkey.lrange(DONE, 0, -1)]
    return [max(0.0, float(at) - asked[key]) for key, at in told if int(key) >= 10]


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "jobs": len(ordered),
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
    }
