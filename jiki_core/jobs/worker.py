"""The worker process: RQ's SimpleWorker with a fresh app context per job, recycled before it grows (architecture.md 3)."""

from __future__ import annotations

import contextlib
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from flask import Flask
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import SimpleWorker, WorkerStatus

from jiki_core.jobs.dispatch import run
from jiki_core.jobs.queues import DISPATCH, open_queue
from jiki_core.observability import get_logger

log = get_logger(__name__)
MAX_JOBS = 1_000
MAX_MEMORY_MEGABYTES = 300
#: between two tries to reach a Valkey that is away
RECONNECT_SECONDS = 1.0
#: a worker that was silent for so long, and a minute more, is not counted any more
WORKER_TTL_SECONDS = 30
HEARTBEAT_SECONDS = 5.0


class JikiWorker(SimpleWorker):
    """No fork: a job that may not return runs in a child process of its own. `app` is set by `run_worker`.

    The outbox is the only record of a job, so that RQ's own (registries, results, callbacks, retries) are left out: a
    job leaves Valkey when it is taken, and what gets lost on the way the reconciler finds.
    """

    app: Flask
    performed = 0
    _next_heartbeat = 0.0

    def execute_job(self, job: Any, queue: Any) -> None:
        """Runs `dispatch.run`, whatever the job in Valkey names: who can write there cannot choose the code."""
        seconds = int(job.timeout or 60)
        self._take(job, queue, seconds)
        try:
            if job.func_name != DISPATCH:
                raise ValueError(f"names {job.func_name!r}")
            outbox_id, attempt = job.args
            with self.app.app_context(), self.death_penalty_class(seconds, JobTimeoutException, job_id=job.id):
                run(outbox_id, attempt)
        except Exception:
            # Not a job's own failure, of which its row tells: a database that is away, or something that is not ours.
            log.exception("queued_job_not_run", queued=job.id)
        self.performed += 1
        if _memory_megabytes() > MAX_MEMORY_MEGABYTES:
            log.info("worker_recycled", reason="memory")
            self._stop_requested = True

    def _take(self, job: Any, queue: Any, seconds: int) -> None:
        """Out of Valkey in one round trip; the worker counts as alive as long as the job may take."""
        self.set_state(WorkerStatus.BUSY)  # tells RQ's signal handler to let the job end
        with self.connection.pipeline() as pipeline:
            if seconds > 2 * WORKER_TTL_SECONDS:
                self.heartbeat(seconds + WORKER_TTL_SECONDS, pipeline=pipeline)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.delete(job.key)
            pipeline.execute()

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Known here only: nobody asks Valkey for it."""
        self._state = state

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ asks for one several times per job; one every few seconds is enough to be counted."""
        now = time.monotonic()
        if timeout is None and now < self._next_heartbeat:
            return
        super().heartbeat(timeout, pipeline)
        self._next_heartbeat = now + HEARTBEAT_SECONDS

    def check_for_suspension(self, burst: bool) -> None:
        """`rq suspend` is not ours: operators pause plugins (docs/jobs.md)."""

    def run_maintenance_tasks(self) -> None:
        """Forgets what workers had popped when they died; the reconciler has given it to others."""
        self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]  # RQ leaves it untyped
        for queue in self.queues:
            left = queue.intermediate_queue.get_job_ids()
            self.connection.delete(queue.intermediate_queue_key, *map(self.job_class.key_for, left))

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """The second signal ends the job under way, which is given back; a third must not interrupt that."""
        try:
            super().request_force_stop(signum, frame)  # returns within a second of the first signal
        except SystemExit:
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, signal.SIG_IGN)
            raise

    @property
    def was_told_to_stop(self) -> bool:
        """By a signal."""
        return self._shutdown_requested_date is not None

    @property
    def is_to_end(self) -> bool:
        """Because of a signal or its own size, rather than because Valkey went away."""
        return self.was_told_to_stop or bool(self._stop_requested)


def run_worker(app: Flask, queues: Sequence[str], connection: redis.Redis, *, burst: bool = False) -> bool:
    """Works until asked to stop, or until it is time for a fresh process; the supervisor starts the next one.

    Returns whether a signal asked it to stop. RQ's worker ends when Valkey does not answer; here it is replaced by
    another until Valkey is back.
    """
    performed = 0
    try:
        with _handlers_restored():
            while performed < MAX_JOBS:
                worker = JikiWorker(
                    [open_queue(name, connection) for name in queues],
                    connection=connection,
                    serializer=JSONSerializer,
                    worker_ttl=WORKER_TTL_SECONDS,
                    default_result_ttl=0,
                    log_job_description=False,
                )
                worker.app = app
                try:
                    worker.work(burst=burst, logging_level="WARNING", max_jobs=MAX_JOBS - performed)
                except redis.RedisError as error:
                    log.warning("worker_lost_valkey", error=type(error).__name__)
                performed += worker.performed
                if burst or worker.is_to_end:
                    return worker.was_told_to_stop
                if performed < MAX_JOBS:
                    log.warning("worker_starts_over", reason="Valkey did not answer")
                    time.sleep(RECONNECT_SECONDS)
    except StopRequested:
        return True  # the signal came while no job ran
    return False


@contextlib.contextmanager
def _handlers_restored() -> Iterator[None]:
    """RQ's worker leaves its signal handlers behind, which would keep whoever called from being interrupted."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _memory_megabytes() -> float:
    """Resident memory of this process. Not `ru_maxrss` where /proc tells: it begins with what the parent had at the fork."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # bytes on macOS
    return pages * resource.getpagesize() / 1024**2
