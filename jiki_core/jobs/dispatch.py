"""What RQ runs: one function for all jobs, which claims the outbox row and calls the registered job by its stored name.

Nothing importable is named in Valkey but this function, so that whoever can write there cannot choose the code.
"""

from __future__ import annotations

import uuid

from flask import current_app
from rq.timeouts import JobTimeoutException
from sqlalchemy import func, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from jiki_core.db import unit_of_work
from jiki_core.db.commits import CONFLICT_ATTEMPTS, is_conflict, is_connection_lost, pause_before_retry
from jiki_core.db.database import autocommit
from jiki_core.db.outbox import OUTBOX, OutboxEntry, OutboxState
from jiki_core.errors import DomainError
from jiki_core.jobs.job import BoundJob
from jiki_core.jobs.lease import keep_lease
from jiki_core.jobs.run import (
    Claim,
    JobRun,
    LeaseLost,
    PermanentFailure,
    ending_queries,
    from_now,
    lease_seconds,
    settle,
    tell_owner,
)
from jiki_core.observability import counter, get_logger, histogram
from jiki_core.observability.request_ids import bind_request_id
from jiki_core.runtime import runtime

log = get_logger(__name__)
#: columns that a claim takes over as they are; the statement goes past the ORM, whose work would cost more than it
_CLAIMED = ("id", "attempt", "name", "payload", "failures", "queue", "owner_id", "request_id")
#: how long a row that this process cannot run stays away before another one may try: longer each time, so that rows of
#: code that never comes back cost next to nothing
GIVE_BACK_SECONDS = 5.0
LONGEST_GIVE_BACK_SECONDS = 60.0

_jobs = counter("jiki_jobs_total", "Jobs run", ["queue", "task", "outcome"])
_seconds = histogram("jiki_job_duration_seconds", "Time a job took", ["queue", "task"])
_waited = histogram("jiki_job_wait_seconds", "Time from the request for a job to its start", ["queue"])


def run(outbox_id: str, attempt: int) -> None:
    """Entry point named in RQ. Never raises for a job's own failure: the outbox row tells what became of it."""
    claim = _claim(uuid.UUID(outbox_id), attempt)
    if claim is None:
        log.info("job_not_ours", outbox_id=outbox_id, attempt=attempt)
        return
    bound = runtime().jobs.get(claim.name)
    if bound is None:
        _give_back(
            claim, OutboxState.NEW, f"no job named {claim.name} in this process; waits for a worker that knows it"
        )
        return
    if newer := _newer_version(claim):
        _give_back(claim, OutboxState.NEW, newer)
        return
    if not runtime().plugins.is_running(bound.plugin) or runtime().plugins.is_paused(bound.plugin):
        _give_back(claim, OutboxState.HELD, f"the plugin {bound.plugin} is not running", after_seconds=0)
        return
    if suspended := runtime().plugins.suspension_of(claim.name):
        _give_back(claim, OutboxState.HELD, f"suspended: {suspended}", after_seconds=0)
        return
    bind_request_id(claim.request_id)
    _waited.labels(claim.queue).observe(claim.waited_seconds)
    try:
        with (
            _seconds.labels(claim.queue, claim.name).time(),
            keep_lease(current_app, claim.id, claim.attempt, bound.job.timeout_seconds),
        ):
            _perform(bound, claim)
    except LeaseLost:
        _jobs.labels(claim.queue, claim.name, "lease_lost").inc()
        log.warning("job_lease_lost", job=claim.name, outbox_id=outbox_id)
    except Exception as error:
        if _is_outage(error):
            _interrupted(claim, "the database went away; this does not count as a failure")
        else:
            _failed(bound, claim, error)
            if not _is_somebody_elses(error):
                kind = "listener" if "event" in claim.payload and ".on." in claim.name else "job"
                runtime().plugins.note_failure(bound.plugin, kind, claim.name, _sentence(bound, error))
    except BaseException:
        _interrupted(claim, "the worker was told to stop; this does not count as a failure")
        raise
    else:
        runtime().plugins.note_success(claim.name)
        _jobs.labels(claim.queue, claim.name, "done").inc()
        log.info("job_done", job=claim.name, outbox_id=outbox_id, attempt=attempt)
    finally:
        bind_request_id(None)


def _claim(outbox_id: uuid.UUID, attempt: int) -> Claim | None:
    claiming = (
        update(OUTBOX)
        .where(OUTBOX.c.id == outbox_id, OUTBOX.c.attempt == attempt, OUTBOX.c.state == OutboxState.HANDED)
        .values(state=OutboxState.STARTED, lease_until=from_now(lease_seconds()))
        .returning(
            *(OUTBOX.c[name] for name in (*_CLAIMED, "checkpoint")),
            func.extract("epoch", func.clock_timestamp() - OUTBOX.c.created_at).label("waited"),
        )
    )
    with autocommit() as connection:
        row = connection.execute(claiming).mappings().one_or_none()
    if row is None:
        return None
    return Claim(
        **{name: row[name] for name in _CLAIMED},
        waited_seconds=float(row["waited"]),
        checkpoint=row["checkpoint"] or {},
    )


def _newer_version(claim: Claim) -> str | None:
    """Why this process must not deliver an event: its class is older than the event."""
    for bound in runtime().listeners.get(str(claim.payload.get("event", "")), ()):
        event = bound.listener.event
        if bound.job_name == claim.name and not isinstance(event, str) and claim.payload["version"] > event.version:
            return (
                f"{event.name} has version {claim.payload['version']}, this process knows {event.version}; "
                "waits for a worker with newer code"
            )
    return None


def _perform(bound: BoundJob, claim: Claim) -> None:
    if bound.job.opens_its_own_units:
        job_run = JobRun(claim)
        result = bound.call(job_run, claim.payload)
        if not job_run.is_settled:
            with unit_of_work() as uow:
                settle(uow, claim, result if job_run.result is None else job_run.result)
        return
    for attempt in range(CONFLICT_ATTEMPTS):
        try:
            with unit_of_work() as uow, ending_queries(uow):
                result = bound.call(uow, claim.payload)
                settle(uow, claim, result)
        except DBAPIError as error:
            if not is_conflict(error) or attempt == CONFLICT_ATTEMPTS - 1:
                raise
            pause_before_retry(error, attempt)
        else:
            return


def _failed(bound: BoundJob, claim: Claim, error: Exception) -> None:
    failures = claim.failures + 1
    is_dead = failures >= bound.job.retry.limit or isinstance(error, PermanentFailure)
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
        # A job that was settled and failed afterwards is done: only a started row fails.
        closed = uow.session.execute(
            update(OutboxEntry)
            .where(
                OutboxEntry.id == claim.id,
                OutboxEntry.attempt == claim.attempt,
                OutboxEntry.state == OutboxState.STARTED,
            )
            .values(
                state=OutboxState.DEAD if is_dead else OutboxState.NEW,
                failures=failures,
                lease_until=None,
                reason=_sentence(bound, error),
                run_after=from_now(bound.job.retry.delay_after(failures).total_seconds()),
            )
            .returning(OutboxEntry.id)
        ).scalar_one_or_none()
        if closed is not None and is_dead and claim.owner_id is not None:
            tell_owner(uow, claim.owner_id, claim.id, claim.name, is_done=False)


def _is_outage(error: Exception) -> bool:
    """Whether the database went away, which is nobody's failure, so that the job may come again at once.

    A job whose time was up while PostgreSQL worked for it looks like that, too: its connection is too busy to roll back.
    """
    return is_connection_lost(error) and not _is_time_up(error)


def _is_somebody_elses(error: Exception) -> bool:
    """Whether a service outside is away. The job's own retries outlast that; a suspension would wait for an operator."""
    return isinstance(error, DomainError) and error.status in (502, 503, 504)


def _is_time_up(error: BaseException | None) -> bool:
    """Whether the time-out is what it began with, whatever was raised on the way."""
    if error is None or isinstance(error, JobTimeoutException):
        return error is not None
    return _is_time_up(error.__cause__) or (error.__context__ is not error.__cause__ and _is_time_up(error.__context__))


def _sentence(bound: BoundJob, error: Exception) -> str:
    """Why it failed, as PostgreSQL can keep it: without NUL and half characters, which a message may quote."""
    if isinstance(error, PermanentFailure):
        told = str(error)
    elif _is_time_up(error):
        told = f"took longer than {bound.job.timeout_seconds} s"
    else:
        told = f"{type(error).__name__}: {error}"
    return told.replace("\0", "\ufffd").encode(errors="replace").decode()[:2_000]


def _interrupted(claim: Claim, reason: str) -> None:
    """Lets the row go if PostgreSQL can be told; otherwise its lease runs out."""
    log.warning("job_interrupted", job=claim.name, outbox_id=str(claim.id), reason=reason)
    _jobs.labels(claim.queue, claim.name, "interrupted").inc()
    try:
        _give_back(claim, OutboxState.NEW, reason, after_seconds=0)
    except SQLAlchemyError as error:
        log.info("job_left_to_its_lease", outbox_id=str(claim.id), error=type(error).__name__)


def _give_back(claim: Claim, state: OutboxState, reason: str, *, after_seconds: float | None = None) -> None:
    """Lets the row go without counting a failure."""
    if after_seconds is None:
        after_seconds = min(GIVE_BACK_SECONDS * (claim.attempt - claim.failures), LONGEST_GIVE_BACK_SECONDS)
    with unit_of_work() as uow:
        uow.session.execute(
            update(OutboxEntry)
            .where(
                OutboxEntry.id == claim.id,
                OutboxEntry.attempt == claim.attempt,
                OutboxEntry.state == OutboxState.STARTED,
            )
            .values(state=state, reason=reason, lease_until=None, run_after=from_now(after_seconds))
        )
