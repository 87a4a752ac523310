"""The outbox: what a transaction asks to happen after it, as rows of the same transaction (architecture.md sections 3, 4).

A row is a job, an event that the relay turns into one job per listener, or a durable broadcast. States:
`new -> handed -> started(lease_until) -> done | dead | held`. A job's own transaction inserts its receipt.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
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
    queue: Mapped[str] = mapped_column(Text, server_default=text("'default'"))
    state: Mapped[str] = mapped_column(Text, server_default=text("'new'"))
    run_after: Mapped[Timestamp] = mapped_column(server_default=func.now())
    #: how often it was handed over; part of the queue's job id, so that an old copy cannot run for a new one
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    #: how often it failed by its own fault
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: a sentence for the operator: why it waits or died
    reason: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    handed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("kind in ('job', 'event', 'broadcast')", name="kind"),
        CheckConstraint("state in ('new', 'handed', 'started', 'done', 'dead', 'held')", name="state"),
        Index("outbox_waiting_idx", "run_after", "seq", postgresql_where=text("state = 'new'")),
        Index(
            "outbox_in_flight_idx",
            "state",
            postgresql_where=text("state in ('handed', 'started', 'held', 'dead')"),
        ),
        Index("outbox_finished_idx", "finished_at", postgresql_where=text("state = 'done'")),
    )


class JobReceipt(CoreModel):
    """Proof that a job's effect is in the database; inserted by the same transaction as the effect."""

    __tablename__ = "job_receipts"

    outbox_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core.outbox.id", ondelete="CASCADE"), primary_key=True)
    finished_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    result: Mapped[Any | None] = mapped_column(JSONB)
