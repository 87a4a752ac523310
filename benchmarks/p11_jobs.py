"""P11: jobs per second per worker against plain RQ, and the relay's hand-over against enqueueing one by one."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Sequence
from typing import Any

import rq

from benchmarks.job_stage import (
    OUR_SCHEDULER,
    OUR_WORKER,
    PLAIN_FORK,
    PLAIN_SIMPLE,
    JobStage,
    staged_jobs,
)
from jiki_core.db import unit_of_work
from jiki_core.jobs.relay import hand_over_jobs

#: fewer than a worker's 1,000, after which ours would be replaced
JOBS = 800
FORKED_JOBS = 100
HANDED_OVER = 4_000


def run(_seconds: float, rounds: int) -> dict[str, Any]:
    """Rounds are interleaved; each starts its processes, waits for them, and counts from the first job's request."""
    with staged_jobs() as stage:
        rates: dict[str, list[float]] = {}
        for _ in range(rounds):
            for count in (1, 2):
                rates.setdefault(f"jiki, {count}", []).append(_ours(stage, count))
                rates.setdefault(f"plain RQ SimpleWorker, {count}", []).append(
                    _plain(stage, [PLAIN_SIMPLE] * count, JOBS)
                )
            rates.setdefault("plain RQ default worker, 2", []).append(_plain(stage, [PLAIN_FORK] * 2, FORKED_JOBS))
            rates.setdefault("handed over by the relay", []).append(_handed_over(stage))
            rates.setdefault("plain RQ enqueued one by one", []).append(_one_by_one(stage))
    medians = {name: round(statistics.median(found), 1) for name, found in rates.items()}
    return {
        "per_second": medians,
        "ratio_to_default_worker": _ratio(rates["jiki, 2"], rates["plain RQ default worker, 2"]),
        "ratio_to_simple_worker": _ratio(rates["jiki, 2"], rates["plain RQ SimpleWorker, 2"]),
        "ratio_hand_over": _ratio(rates["handed over by the relay"], rates["plain RQ enqueued one by one"]),
    }


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 2)


def _ours(stage: JobStage, workers: int) -> float:
    """Jobs a second, with the relay beside: their rows are committed in one piece."""
    stage.empty()
    stage.valkey.flushdb()
    with stage.running(OUR_SCHEDULER, *[OUR_WORKER] * workers):
        stage.wait_for_workers(workers)
        stage.wait_for_scheduler()
        started = time.perf_counter()
        _write_rows(stage, JOBS)
        stage.wait_for(lambda: stage.valkey.llen("bench:done") >= JOBS, "the end of all jobs")
        return JOBS / (time.perf_counter() - started)


def _write_rows(stage: JobStage, count: int) -> None:
    from acme_bench.work import take_effect  # type: ignore[import-not-found]  # the stage makes it

    from jiki_core.db.outbox import JobOptions

    with stage.app.app_context(), unit_of_work() as uow:
        for number in range(count):
            uow.enqueue_with(JobOptions(run_after=uow.now), take_effect, key=str(number))


def _plain(stage: JobStage, workers: Sequence[Sequence[str]], count: int) -> float:
    stage.empty()
    stage.valkey.flushdb()
    queue = rq.Queue("plain", connection=stage.valkey)
    with stage.running(*workers):
        stage.wait_for_workers(len(workers))
        jobs = [
            rq.Queue.prepare_data("benchmarks.peers.plain_rq.take_effect", (str(number),)) for number in range(count)
        ]
        started = time.perf_counter()
        queue.enqueue_many(jobs)
        stage.wait_for(lambda: stage.valkey.llen("bench:done") >= count, "the end of all jobs")
        return count / (time.perf_counter() - started)


def _handed_over(stage: JobStage) -> float:
    """Rows a second that the relay moves from the outbox to the queues; nobody works on them."""
    stage.empty()
    stage.sql(
        "insert into core.outbox (id, kind, name, payload) "
        "select gen_random_uuid(), 'job', 'bench.take_effect', jsonb_build_object('key', n::text) "
        "from generate_series(1, %s) n",
        HANDED_OVER,
    )
    stage.sql("analyze core.outbox")
    handed, started = 0, time.perf_counter()
    with stage.emptied_queues():
        while handed < HANDED_OVER:
            with stage.app.app_context():
                handed += hand_over_jobs(stage.valkey)
        return HANDED_OVER / (time.perf_counter() - started)


def _one_by_one(stage: JobStage) -> float:
    stage.empty()
    queue = rq.Queue("plain", connection=stage.valkey)
    count = HANDED_OVER // 4
    started = time.perf_counter()
    for _ in range(count):
        queue.enqueue("benchmarks.peers.plain_rq.take_effect", str(uuid.uuid4()))
    return count / (time.perf_counter() - started)
