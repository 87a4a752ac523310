"""A running job's hold on its outbox row: the claim, the lease, the receipt."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import cast as sql_cast
from sqlalchemy import func, insert, update
from sqlalchemy.dialects.postgresql import INTERVAL

from jiki_core.db import UnitOfWork, unit_of_work
from jiki_core.db.outbox import JobReceipt, OutboxEntry, OutboxState

#: how long a worker may be silent before its job is given to another; extended every third of it
LEASE_SECONDS = 30


class LeaseLost(Exception):
    """Another worker has the job by now; whatever this one did is rolled back."""


class JobRun:
    """Given to jobs that call outside: prepare (commit), call, settle (commit)."""

    def __init__(self, outbox_id: uuid.UUID, attempt: int, failures: int) -> None:
        #: also the idempotency key for calls to the outside
        self.id = outbox_id
        self.attempt = attempt
        #: failures so far
        self.failures = failures
        self.is_settled = False

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """The settling unit: its commit is what makes the job done."""
        with unit_of_work() as uow:
            yield uow
            settle(uow, self.id, self.attempt, None)
        self.is_settled = True


def settle(uow: UnitOfWork, outbox_id: uuid.UUID, attempt: int, result: Any) -> None:
    """Inserts the receipt and marks the row done, in the job's own transaction. Raises LeaseLost."""
    closed = uow.session.execute(
        update(OutboxEntry)
        .where(
            OutboxEntry.id == outbox_id,
            OutboxEntry.attempt == attempt,
            OutboxEntry.state == OutboxState.STARTED,
        )
        .values(state=OutboxState.DONE, finished_at=func.now(), lease_until=None, reason=None)
        .returning(OutboxEntry.id)
    ).scalar_one_or_none()
    if closed is None:
        raise LeaseLost(f"job {outbox_id} attempt {attempt}")
    uow.session.execute(insert(JobReceipt).values(outbox_id=outbox_id, result=result))


def lease_end() -> Any:
    """`now() + lease`, on the database's clock."""
    return func.clock_timestamp() + sql_cast(f"{LEASE_SECONDS} seconds", INTERVAL)
