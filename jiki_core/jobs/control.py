"""What an operator does with outbox rows: retry, cancel, replay. Each writes why, to the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError

from jiki_core.db import UnitOfWork, uuid7
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.errors import DomainError, NotFound


class JobNotRetryable(DomainError):
    """Only dead and cancelled jobs can be tried again, and not while one with the same unique key is in flight."""

    symbol = "job_not_retryable"
    status = 422


class JobNotCancellable(DomainError):
    """The job is over already."""

    symbol = "job_not_cancellable"
    status = 422


def retry_job(uow: UnitOfWork, job_id: uuid.UUID, *, reason: str, actor_id: int | None = None) -> None:
    """Gives a dead or cancelled job its tries back. Raises NotFound, JobNotRetryable."""
    entry = _locked(uow, job_id)
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


def cancel_job(uow: UnitOfWork, job_id: uuid.UUID, *, reason: str, actor_id: int | None = None) -> None:
    """Stops a job that is not over; what a worker still does for it is rolled back. Raises NotFound, JobNotCancellable.

    A call to the outside that a started job has made cannot be taken back.
    """
    entry = _locked(uow, job_id)
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


def _locked(uow: UnitOfWork, entry_id: uuid.UUID) -> OutboxEntry:
    entry = uow.session.get(OutboxEntry, entry_id, with_for_update=True)
    if entry is None:
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
