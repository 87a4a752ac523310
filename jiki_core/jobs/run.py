"""A running job's hold on its outbox row: the claim, the lease, progress, the receipt."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from rq.timeouts import JobTimeoutException
from sqlalchemy import ColumnElement, Text, func, insert, literal, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import INTERVAL

from jiki_core.db import UnitOfWork, unit_of_work
from jiki_core.db.outbox import OUTBOX, RECEIPTS, OutboxEntry, OutboxState
from jiki_core.db.unit_of_work import NOTIFICATION_STREAM
from jiki_core.runtime import runtime

#: where `checkpoint` counts the workers that fell silent with the job; kept beside what the job keeps itself
SILENCES = "core.silences"
#: how long PostgreSQL may take to be told that a query is not wanted any more
CANCEL_SECONDS = 5.0


def lease_seconds() -> float:
    """How long a worker may be silent before its job is given to another; it extends its lease every third of it."""
    return runtime().settings.job_lease_seconds


class LeaseLost(Exception):
    """Another worker has the job by now, or an operator cancelled it; whatever this one did is rolled back."""


class PermanentFailure(Exception):
    """Raised by a job that no retry can help: it is dead at once, with this text as the reason."""


@dataclass(frozen=True)
class Claim:
    """A claimed outbox row."""

    id: uuid.UUID
    attempt: int
    name: str
    payload: dict[str, Any]
    failures: int
    queue: str
    owner_id: int | None = None
    request_id: str | None = None
    waited_seconds: float = 0.0
    checkpoint: dict[str, Any] = field(default_factory=dict)


class JobRun:
    """Given to jobs that call outside: prepare (commit), call, settle (commit)."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        #: also the idempotency key for calls to the outside
        self.id = claim.id
        self.attempt = claim.attempt
        #: failures so far
        self.failures = claim.failures
        #: what earlier attempts kept; see `keep`
        self.checkpoint: Mapping[str, Any] = claim.checkpoint
        #: JSON value that the receipt keeps and the owner may read
        self.result: Any = None
        self.is_settled = False

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """The settling unit: its commit is what makes the job done. Raises RuntimeError when it was settled before."""
        if self.is_settled:
            raise RuntimeError(
                f"the job {self._claim.name} is settled already: write everything in one `with run.unit_of_work()`, "
                "and what comes before it in `with unit_of_work()` of jiki_core.db"
            )
        with unit_of_work() as uow, ending_queries(uow):
            yield uow
            settle(uow, self._claim, self.result)
        self.is_settled = True

    def keep(self, **facts: Any) -> None:
        """Remembers facts for a later attempt, in a short transaction of its own. Raises LeaseLost."""
        self.checkpoint = {**self.checkpoint, **facts}
        self._update(checkpoint=dict(self.checkpoint))

    def progress(self, done: int, total: int, note: str | None = None) -> None:
        """Tells how far the job is: kept for `internal/jobs/:id`, pushed to its owner. Raises LeaseLost, also when cancelled."""
        told = {"done": done, "total": total, "note": note}
        self._update(progress=told)

    def _update(self, **values: Any) -> None:
        with unit_of_work() as uow:
            kept = uow.session.execute(
                update(OutboxEntry)
                .where(*_is_ours(self._claim))
                .values(lease_until=from_now(lease_seconds()), **values)
                .returning(OutboxEntry.id)
            ).scalar_one_or_none()
            if kept is None:
                raise LeaseLost(f"job {self.id} attempt {self.attempt}")
            if "progress" in values and self._claim.owner_id is not None:
                uow.broadcast(
                    NOTIFICATION_STREAM.format(user_id=self._claim.owner_id),
                    {"type": "core.job_progress", "data": {"job_id": str(self.id), **values["progress"]}},
                )


@contextmanager
def ending_queries(uow: UnitOfWork) -> Iterator[None]:
    """Ends what PostgreSQL still does for the unit when the job's time is up: its locks would outlive the job."""
    try:
        yield
    except JobTimeoutException:
        connection = uow.session.connection().connection.driver_connection
        if (
            isinstance(connection, psycopg.Connection)
            and connection.info.transaction_status == TransactionStatus.ACTIVE
        ):
            connection.cancel_safe(timeout=CANCEL_SECONDS)
        raise


def settle(uow: UnitOfWork, claim: Claim, result: Any) -> None:
    """Inserts the receipt and marks the row done, in the job's own transaction. Raises LeaseLost."""
    closed = (
        update(OUTBOX)
        .where(OUTBOX.c.id == claim.id, OUTBOX.c.attempt == claim.attempt, OUTBOX.c.state == OutboxState.STARTED)
        .values(state=OutboxState.DONE, finished_at=func.clock_timestamp(), lease_until=None, reason=None)
        .returning(OUTBOX.c.id)
        .cte("closed")
    )
    receipt = (
        insert(RECEIPTS)
        .from_select(["outbox_id", "result"], select(closed.c.id, literal(result, RECEIPTS.c.result.type)))
        .returning(func.pg_current_xact_id().cast(Text))
    )
    uow.xid = uow.session.connection().execute(receipt).scalar_one_or_none()
    if uow.xid is None:
        raise LeaseLost(f"job {claim.id} attempt {claim.attempt}")
    if claim.owner_id is not None:
        tell_owner(uow, claim.owner_id, claim.id, claim.name, is_done=True)


def tell_owner(uow: UnitOfWork, owner_id: int, outbox_id: uuid.UUID, name: str, *, is_done: bool) -> None:
    """A notification that a job somebody asked for is over; its result is at `internal/jobs/:id`."""
    kind = "core.job_done" if is_done else "core.job_failed"
    uow.notify(owner_id, kind, {"job_id": str(outbox_id), "name": name})


def _is_ours(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxEntry.id == claim.id,
        OutboxEntry.attempt == claim.attempt,
        OutboxEntry.state == OutboxState.STARTED,
    )


def from_now(seconds: float) -> Any:
    """A moment from now on the database's clock."""
    return func.clock_timestamp() + sql_cast(f"{seconds} seconds", INTERVAL)
