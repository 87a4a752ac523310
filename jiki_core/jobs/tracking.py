"""Tracking: analytics events as jobs. Always a row and a log line; plugins may add sinks of their own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.contracts import Cardinality, Contract, ask, question
from jiki_core.db import CoreModel, Timestamp, UnitOfWork, uuid7
from jiki_core.jobs.job import Job, Retry
from jiki_core.jobs.run import JobRun
from jiki_core.observability import current_request_id, get_logger

log = get_logger(__name__)


class TrackingEvent(CoreModel):
    """Something somebody did that the product wants to count."""

    __tablename__ = "tracking_events"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: "<plugin>.<what_happened>"
    name: Mapped[str] = mapped_column(Text)
    #: opaque: users belong to a plugin
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    properties: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[Timestamp]

    __table_args__ = (
        Index("tracking_events_name_idx", "name", "occurred_at"),
        Index("tracking_events_user_idx", "user_id"),
    )


class TrackingSink(Contract):
    """Where else tracked events go, such as a product analytics service. Each sink must cope with an event twice."""

    cardinality = Cardinality.MANY
    budget_ms = 5_000

    @question(absent=True, failing=False)
    def accept(self, id: str, name: str, user_id: int | None, properties: Mapping[str, Any], occurred_at: str) -> bool:
        """True when the event was taken; `id` is the same at every repeat, `occurred_at` is ISO 8601."""
        raise AssertionError("answered by a provider")


class SinkRefused(Exception):
    """A sink did not take an event; the job tries again."""


def track(
    uow: UnitOfWork, name: str, *, user_id: int | None = None, properties: Mapping[str, Any] | None = None
) -> None:
    """Counts something after the commit. `name` is "<plugin>.<what_happened>"; properties are JSON values."""
    uow.enqueue(
        record_tracking,
        event_id=str(uuid7()),
        name=name,
        user_id=user_id,
        properties=dict(properties or {}),
        occurred_at=uow.now.isoformat(),
    )


def record_tracking(
    run: JobRun, event_id: str, name: str, user_id: int | None, properties: dict[str, Any], occurred_at: str
) -> None:
    """Job: every sink, with no transaction open, then the row and the log line."""
    taken = cast("list[bool]", ask(TrackingSink).accept(event_id, name, user_id, properties, occurred_at))
    if not all(taken):
        raise SinkRefused(f"a sink did not take {name}")
    with run.unit_of_work() as uow:
        uow.session.execute(
            insert(TrackingEvent)
            .values(
                id=uuid.UUID(event_id),
                name=name,
                user_id=user_id,
                properties=properties,
                request_id=current_request_id(),
                occurred_at=datetime.fromisoformat(occurred_at),
            )
            .on_conflict_do_nothing()
        )
    log.info("tracked", tracking=name, user_id=user_id, properties=properties)


RECORD_TRACKING = Job(record_tracking, priority="low", retry=Retry(limit=10))
