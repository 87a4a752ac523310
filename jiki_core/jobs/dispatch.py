"""What RQ runs: one function for all jobs, which claims the outbox row and calls the registered job by its stored name.

Nothing importable is named in Valkey but this function, so that whoever can write there cannot choose the code.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy import func, select, update

from jiki_core.db import unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.jobs.job import BoundJob
from jiki_core.jobs.lease import keep_lease
from jiki_core.jobs.run import JobRun, LeaseLost, lease_end, settle
from jiki_core.observability import counter, get_logger, histogram
from jiki_core.observability.request_ids import bind_request_id
from jiki_core.runtime import runtime

log = get_logger(__name__)

_jobs = counter("jiki_jobs_total", "Jobs run", ["queue", "task", "outcome"])
_seconds = histogram("jiki_job_duration_seconds", "Time a job took", ["queue", "task"])
_waited = histogram("jiki_job_wait_seconds", "Time from the request for a job to its start", ["queue"])


@dataclass(frozen=True)
class Claim:
    """A claimed outbox row."""

    id: uuid.UUID
    attempt: int
    name: str
    payload: dict[str, Any]
    failures: int
    queue: str
    request_id: str | None
    waited_seconds: float


def run(outbox_id: str, attempt: int) -> None:
    """Entry point named in RQ. Never raises for a job's own failure: the outbox row tells what became of it."""
    claim = _claim(uuid.UUID(outbox_id), attempt)
    if claim is None:
        log.info("job_not_ours", outbox_id=outbox_id, attempt=attempt)
        return
    bound = runtime().jobs.get(claim.name)
    if bound is None:
        _give_back(
            claim,
            OutboxState.NEW,
            f"no job named {claim.name} in this process; waits for a worker that knows it",
        )
        return
    if not runtime().plugins.is_running(bound.plugin) or runtime().plugins.is_paused(bound.plugin):
        _give_back(claim, OutboxState.HELD, f"the plugin {bound.plugin} is not running")
        return
    bind_request_id(claim.request_id)
    _waited.labels(claim.queue).observe(claim.waited_seconds)
    try:
        with (
            _seconds.labels(claim.queue, claim.name).time(),
            keep_lease(current_app, claim.id, claim.attempt),
        ):
            _perform(bound, claim)
    except LeaseLost:
        _jobs.labels(claim.queue, claim.name, "lease_lost").inc()
        log.warning("job_lease_lost", job=claim.name, outbox_id=outbox_id)
    except Exception as error:
        _failed(bound, claim, error)
    else:
        _jobs.labels(claim.queue, claim.name, "done").inc()
        log.info("job_done", job=claim.name, outbox_id=outbox_id, attempt=attempt)
    finally:
        bind_request_id(None)


def _claim(outbox_id: uuid.UUID, attempt: int) -> Claim | None:
    with unit_of_work() as uow:
        row = uow.session.execute(
            update(OutboxEntry)
            .where(
                OutboxEntry.id == outbox_id,
                OutboxEntry.attempt == attempt,
                OutboxEntry.state == OutboxState.HANDED,
            )
            .values(state=OutboxState.STARTED, lease_until=lease_end())
            .returning(OutboxEntry, func.extract("epoch", func.now() - OutboxEntry.created_at))
        ).one_or_none()
        if row is None:
            return None
        entry, waited = row
        return Claim(
            entry.id,
            entry.attempt,
            entry.name,
            entry.payload,
            entry.failures,
            entry.queue,
            entry.request_id,
            float(waited),
        )


def _perform(bound: BoundJob, claim: Claim) -> None:
    if bound.job.opens_its_own_units:
        job_run = JobRun(claim.id, claim.attempt, claim.failures)
        result = bound.call(job_run, claim.payload)
        if not job_run.is_settled:
            with unit_of_work() as uow:
                settle(uow, claim.id, claim.attempt, result)
        return
    with unit_of_work() as uow:
        result = bound.call(uow, claim.payload)
        settle(uow, claim.id, claim.attempt, result)


def _failed(bound: BoundJob, claim: Claim, error: Exception) -> None:
    failures = claim.failures + 1
    is_dead = failures >= bound.job.retry.limit
    log.error(
        "job_failed",
        job=claim.name,
        outbox_id=str(claim.id),
        failures=failures,
        is_dead=is_dead,
        exc_info=error,
    )
    _jobs.labels(claim.queue, claim.name, "dead" if is_dead else "failed").inc()
    with unit_of_work() as uow:
        uow.session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.id == claim.id, OutboxEntry.attempt == claim.attempt)
            .values(
                state=OutboxState.DEAD if is_dead else OutboxState.NEW,
                failures=failures,
                lease_until=None,
                reason=f"{type(error).__name__}: {error}"[:2_000],
                run_after=datetime.now(UTC) + bound.job.retry.delay_after(failures),
            )
        )


def _give_back(claim: Claim, state: OutboxState, reason: str) -> None:
    """Lets the row go without counting a failure; `new` rows come again after a moment."""
    with unit_of_work() as uow:
        uow.session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.id == claim.id, OutboxEntry.attempt == claim.attempt)
            .values(
                state=state,
                reason=reason,
                lease_until=None,
                run_after=select(func.now() + func.make_interval(0, 0, 0, 0, 0, 0, 5)).scalar_subquery(),
            )
        )
