"""The worker process: RQ's SimpleWorker with a fresh app context per job, recycled before it grows (architecture.md 3)."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from typing import Any

import redis
from flask import Flask
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from jiki_core.jobs.queues import open_queue
from jiki_core.observability import get_logger

log = get_logger(__name__)
MAX_JOBS = 1_000
MAX_MEMORY_MEGABYTES = 300


class JikiWorker(SimpleWorker):
    """No fork: a job that may not return runs in a child process of its own. `app` is set by `run_worker`."""

    app: Flask

    def perform_job(self, job: Any, queue: Any, execution: Any) -> bool:
        with self.app.app_context():
            done = bool(super().perform_job(job, queue, execution))
        if _memory_megabytes() > MAX_MEMORY_MEGABYTES:
            log.info("worker_recycled", reason="memory")
            self._stop_requested = True
        return done


def run_worker(app: Flask, queues: Sequence[str], connection: redis.Redis, *, burst: bool = False) -> None:
    """Works until asked to stop, or until it is time for a fresh process; the supervisor starts the next one."""
    worker = JikiWorker(
        [open_queue(name, connection) for name in queues],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=30,
        default_result_ttl=0,
        log_job_description=False,
    )
    worker.app = app
    worker.work(burst=burst, logging_level="WARNING", max_jobs=MAX_JOBS)


def _memory_megabytes() -> float:
    """Peak resident memory of this process (ru_maxrss is in KiB on Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
