"""What an operator does with outbox rows and schedules. Each act writes why, to the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from jiki_core.db import UnitOfWork, uuid7
from jiki_core.db.outbox import OutboxEntry, OutboxKind, OutboxState
from jiki_core.errors import DomainError, NotFound
from jiki_core.jobs.run import SILENCES
from jiki_core.jobs.schedules import ScheduleRow, run_now, scheduled_jobs


class JobNotRetryable(DomainError):
    """Only dead and cancelled jobs can be tried again, and not while one with the same unique key is in flight."""

    symbol = "job_not_retryable"
    status = 422


class ScheduleNotRunnable(DomainError):
    """No running code declares the schedule any more."""

    symbol = "schedule_not_runnable"
    status = 422


class JobNotCancellable(DomainError):
    """The job is over already."""

    symbol = "job_not_cancellable"
    status = 422


def retry_job(
    uow: UnitOfWork,
    job_id: uuid.UUID,
    *,
    reason: str,
    actor_id: int | None = None,
    kind: OutboxKind | None = OutboxKind.JOB,
) -> None:
    """Gives a dead or cancelled job its tries back. Raises NotFound, JobNotRetryable.

    `kind` None: a row of any kind.
    """
    entry = _locked(uow, job_id, kind)
    if entry.state not in (OutboxState.DEAD, OutboxState.CANCELLED):
        raise JobNotRetryable(state=entry.state)
    before = {"state": entry.state, "failures": entry.failures, "reason": entry.reason}
    try:
        with uow.session.begin_nested():
            uow.session.execute(
                update(OutboxEntry)
                .where(OutboxEntry.id == job_id)
                .values(
                    state=OutboxState.NEW,
                    failures=0,
                    checkpoint=_without_silences(entry.checkpoint),
                    reason=None,
                    finished_at=None,
                    lease_until=None,
                    run_after=func.clock_timestamp(),
                )
            )
    except IntegrityError:
        raise JobNotRetryable(state=before["state"], unique_key=entry.unique_key) from None
    _audit(uow, "job:retried", job_id, before, reason, actor_id)
    uow.wake_relay()


def _without_silences(checkpoint: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: fact for name, fact in (checkpoint or {}).items() if name != SILENCES}


def retry_dead_jobs(uow: UnitOfWork, *, name: str | None, reason: str, actor_id: int | None = None) -> tuple[int, int]:
    """Gives up to 500 dead jobs their tries back, those of one stored name or all, oldest first.

    Returns how many, and how many could not be helped because one with their unique key is in flight.
    """
    is_dead_job = (OutboxEntry.kind == OutboxKind.JOB) & (OutboxEntry.state == OutboxState.DEAD)
    dead = select(OutboxEntry.id).where(is_dead_job).order_by(OutboxEntry.seq).limit(500)
    retried = left = 0
    for job_id in uow.session.scalars(dead if name is None else dead.where(OutboxEntry.name == name)).all():
        try:
            retry_job(uow, job_id, reason=reason, actor_id=actor_id)
        except JobNotRetryable:
            left += 1
        else:
            retried += 1
    return retried, left


def cancel_job(
    uow: UnitOfWork,
    job_id: uuid.UUID,
    *,
    reason: str,
    actor_id: int | None = None,
    kind: OutboxKind | None = OutboxKind.JOB,
) -> None:
    """Stops a job that is not over; what a worker still does for it is rolled back. `kind` None: a row of any kind.

    A call to the outside that a started job has made cannot be taken back. Raises NotFound, JobNotCancellable.
    """
    entry = _locked(uow, job_id, kind)
    if entry.state in (OutboxState.DONE, OutboxState.CANCELLED):
        raise JobNotCancellable(state=entry.state)
    before = {"state": entry.state, "reason": entry.reason}
    uow.session.execute(
        update(OutboxEntry)
        .where(OutboxEntry.id == job_id)
        .values(
            state=OutboxState.CANCELLED,
            reason=f"cancelled: {reason}",
            lease_until=None,
            finished_at=func.clock_timestamp(),
        )
    )
    _audit(uow, "job:cancelled", job_id, before, reason, actor_id)


def replay_entry(uow: UnitOfWork, entry_id: uuid.UUID, *, reason: str, actor_id: int | None = None) -> uuid.UUID:
    """Writes a finished row once more, under a new id: its effect happens again. Raises NotFound, JobNotRetryable.

    An event reaches its listeners again, a job runs again, a broadcast is sent again.
    """
    entry = _locked(uow, entry_id)
    if entry.state != OutboxState.DONE:
        raise JobNotRetryable(state=entry.state)
    copy = OutboxEntry(
        id=uuid7(),
        kind=entry.kind,
        name=entry.name,
        version=entry.version,
        payload=entry.payload,
        queue=entry.queue,
        priority=entry.priority,
        order_key=entry.order_key,
        owner_id=entry.owner_id,
        request_id=entry.request_id,
    )
    uow.session.add(copy)
    uow.session.flush()
    _audit(uow, "outbox:replayed", entry_id, {"state": entry.state}, reason, actor_id, after={"id": str(copy.id)})
    uow.wake_relay()
    return copy.id


def pause_schedule(uow: UnitOfWork, name: str, *, reason: str, actor_id: int | None = None) -> None:
    """Stops a schedule's ticks until `resume_schedule`. Raises NotFound."""
    row = _locked_schedule(uow, name)
    row.paused_reason = reason
    uow.audit("schedule:paused", target_type="schedule", target_id=name, reason=reason, actor_id=actor_id)


def resume_schedule(uow: UnitOfWork, name: str, *, actor_id: int | None = None) -> None:
    """Lets it tick again; missed ticks are treated by its catch-up policy. Raises NotFound."""
    row = _locked_schedule(uow, name)
    before = {"reason": row.paused_reason}
    row.paused_reason = None
    uow.audit("schedule:resumed", target_type="schedule", target_id=name, before=before, actor_id=actor_id)


def run_schedule(uow: UnitOfWork, name: str, *, reason: str, actor_id: int | None = None) -> uuid.UUID:
    """Asks for its job now, beside its ticks; returns the job's id. Raises ScheduleNotRunnable."""
    if name not in scheduled_jobs():
        raise ScheduleNotRunnable(schedule=name)
    job_id = run_now(uow, name)
    uow.audit("schedule:run", target_type="schedule", target_id=name, reason=reason, actor_id=actor_id)
    return job_id


def _locked_schedule(uow: UnitOfWork, name: str) -> ScheduleRow:
    row: ScheduleRow | None = uow.session.get(ScheduleRow, name, with_for_update=True)
    if row is None:
        raise NotFound()
    return row


def describe(entry: OutboxEntry) -> dict[str, Any]:
    """A row as operators see it, in JSON values; the payload may hold personal data and is left out."""
    return {
        "id": str(entry.id),
        "kind": entry.kind,
        "name": entry.name,
        "queue": entry.queue,
        "state": entry.state,
        "reason": entry.reason,
        "attempt": entry.attempt,
        "failures": entry.failures,
        "priority": entry.priority,
        "progress": entry.progress,
        "request_id": entry.request_id,
        "created_at": _text(entry.created_at),
        "run_after": _text(entry.run_after),
        "lease_until": _text(entry.lease_until),
        "finished_at": _text(entry.finished_at),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _locked(uow: UnitOfWork, entry_id: uuid.UUID, kind: OutboxKind | None = None) -> OutboxEntry:
    entry = uow.session.get(OutboxEntry, entry_id, with_for_update=True)
    if entry is None or (kind is not None and entry.kind != kind):
        raise NotFound()
    return entry


def _audit(
    uow: UnitOfWork,
    action: str,
    entry_id: uuid.UUID,
    before: Mapping[str, Any],
    reason: str,
    actor_id: int | None,
    after: Mapping[str, Any] | None = None,
) -> None:
    uow.audit(
        action,
        target_type="outbox",
        target_id=entry_id,
        before=before,
        after=after,
        reason=reason,
        actor_id=actor_id,
    )
