"""The worker process: RQ's SimpleWorker with a fresh app context per job, recycled before it grows (architecture.md 3)."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from typing import Any

import redis
from flask import Flask
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from jiki_core.jobs.queues import open_queue
from jiki_core.observability import get_logger

log = get_logger(__name__)
MAX_JOBS = 1_000
MAX_MEMORY_MEGABYTES = 300
#: between two tries to reach a Valkey that is away
RECONNECT_SECONDS = 1.0


class JikiWorker(SimpleWorker):
    """No fork: a job that may not return runs in a child process of its own. `app` is set by `run_worker`."""

    app: Flask
    performed = 0

    def perform_job(self, job: Any, queue: Any, execution: Any) -> bool:
        with self.app.app_context():
            done = bool(super().perform_job(job, queue, execution))
        self.performed += 1
        if _memory_megabytes() > MAX_MEMORY_MEGABYTES:
            log.info("worker_recycled", reason="memory")
            self._stop_requested = True
        return done

    @property
    def was_asked_to_stop(self) -> bool:
        """By a signal or by its own size, rather than because Valkey went away."""
        return bool(self._stop_requested or self._shutdown_requested_date)


def run_worker(app: Flask, queues: Sequence[str], connection: redis.Redis, *, burst: bool = False) -> None:
    """Works until asked to stop, or until it is time for a fresh process; the supervisor starts the next one.

    RQ's worker ends when Valkey does not answer; here it is replaced by another until Valkey is back.
    """
    performed = 0
    while performed < MAX_JOBS:
        worker = JikiWorker(
            [open_queue(name, connection) for name in queues],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=30,
            default_result_ttl=0,
            log_job_description=False,
        )
        worker.app = app
        try:
            worker.work(burst=burst, logging_level="WARNING", max_jobs=MAX_JOBS - performed)
            performed += worker.performed
            if not (burst or worker.was_asked_to_stop) and performed < MAX_JOBS:
                log.warning("worker_starts_over", reason="Valkey did not answer")
                time.sleep(RECONNECT_SECONDS)
        except redis.RedisError as error:
            log.warning("worker_lost_valkey", error=type(error).__name__)
            time.sleep(RECONNECT_SECONDS)
        except StopRequested:
            return  # the signal came while no job ran
        if burst or worker.was_asked_to_stop:
            return


def _memory_megabytes() -> float:
    """Peak resident memory of this process (ru_maxrss is in KiB on Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
