"""The outbox: what a transaction asks to happen after it, as rows of the same transaction (architecture.md sections 3, 4).

A row is a job, an event that the relay turns into one job per listener, or a durable broadcast. States:
`new -> handed -> started(lease_until) -> done | dead | held | cancelled`. A job's own transaction inserts its receipt.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db.model import CoreModel, Timestamp


class OutboxKind(StrEnum):
    JOB = "job"
    EVENT = "event"
    BROADCAST = "broadcast"


class OutboxState(StrEnum):
    #: waits for the relay (or for `run_after`, or for a process that knows its name: see `reason`)
    NEW = "new"
    #: in a queue; the row goes again only when Valkey no longer knows its job
    HANDED = "handed"
    #: a worker has it until `lease_until`, which the worker extends
    STARTED = "started"
    DONE = "done"
    #: failed for good; kept with its reason for `flask jobs retry`
    DEAD = "dead"
    #: its plugin is paused or not running; goes on when that ends
    HELD = "held"
    #: an operator stopped it; whatever a worker still does for it is rolled back
    CANCELLED = "cancelled"


#: states in which a job is still going to run, or runs
IN_FLIGHT = (OutboxState.NEW, OutboxState.HANDED, OutboxState.STARTED, OutboxState.HELD)
_IN_FLIGHT_SQL = "state in ('new', 'handed', 'started', 'held')"

Priority = Literal["low", "normal", "high"]
#: stored ranks: a higher one is handed over first
PRIORITY_RANKS: dict[Priority, int] = {"low": -1, "normal": 0, "high": 1}


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How one job is asked for: `uow.enqueue_with(JobOptions(...), job, **arguments)`."""

    #: not before; None = at once
    run_after: datetime | None = None
    #: None = as the job declares
    priority: Priority | None = None
    #: who may read its progress and result at `internal/jobs/:id` and is told of its end
    owner_id: int | None = None
    #: jobs with one key run one after the other, in the order in which they were asked for
    order_key: str | None = None
    #: while a job with this key is in flight, asking again returns that one's id
    unique_key: str | None = None


class OutboxEntry(CoreModel):
    __tablename__ = "outbox"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: order of insertion, on which the relay works
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    kind: Mapped[str] = mapped_column(Text)
    #: stored name of the job, event or stream
    name: Mapped[str] = mapped_column(Text)
    #: version of the payload's shape; events only move it
    version: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: jobs that deliver an event, as the process knew them that emitted it: the relay may be of an older deploy
    listeners: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    queue: Mapped[str] = mapped_column(Text, server_default=text("'default'"))
    state: Mapped[str] = mapped_column(Text, server_default=text("'new'"))
    run_after: Mapped[Timestamp] = mapped_column(server_default=func.now())
    #: how often it was handed over; part of the queue's job id, so that an old copy cannot run for a new one
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    #: how often it failed by its own fault
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: rank of `PRIORITY_RANKS`
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    #: at most one row in flight has it
    unique_key: Mapped[str | None] = mapped_column(Text)
    #: rows that share it are acted on one after the other, by `seq`
    order_key: Mapped[str | None] = mapped_column(Text)
    #: opaque: users belong to a plugin
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    #: what the owner may see of a long job: `{done, total, note}`
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    #: what the job itself keeps from one attempt to the next
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    #: a sentence for the operator: why it waits or died
    reason: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    handed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("kind in ('job', 'event', 'broadcast')", name="kind"),
        CheckConstraint("state in ('new', 'handed', 'started', 'done', 'dead', 'held', 'cancelled')", name="state"),
        Index(
            "outbox_next_idx",
            text("priority desc"),
            "run_after",
            "seq",
            postgresql_where=text("state = 'new'"),
        ),
        Index(
            "outbox_in_flight_idx",
            "state",
            postgresql_where=text("state in ('handed', 'started', 'held', 'dead')"),
        ),
        Index(
            "outbox_unique_idx",
            "unique_key",
            unique=True,
            postgresql_where=text(f"unique_key is not null and {_IN_FLIGHT_SQL}"),
        ),
        Index(
            "outbox_order_idx",
            "order_key",
            "seq",
            postgresql_where=text(f"order_key is not null and {_IN_FLIGHT_SQL}"),
        ),
        Index("outbox_over_idx", "finished_at", postgresql_where=text("state in ('done', 'cancelled')")),
    )


#: for statements that go past the ORM, because they run for every job
OUTBOX = cast(Table, OutboxEntry.__table__)


class JobReceipt(CoreModel):
    """Proof that a job's effect is in the database; inserted by the same transaction as the effect."""

    __tablename__ = "job_receipts"

    outbox_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core.outbox.id", ondelete="CASCADE"), primary_key=True)
    finished_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    result: Mapped[Any | None] = mapped_column(JSONB)


RECEIPTS = cast(Table, JobReceipt.__table__)
