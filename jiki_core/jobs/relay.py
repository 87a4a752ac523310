"""The relay: takes waiting outbox rows to where they are acted on, each exactly once per attempt.

Events become one job per listener, jobs go to RQ, durable broadcasts are published. Rows are locked with SKIP LOCKED, so
any number of relays may run; the state is committed before Valkey is told, and the reconciler finds what was not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from sqlalchemy import ColumnElement, Select, any_, exists, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from jiki_core.db import UnitOfWork, unit_of_work, uuid7
from jiki_core.db.outbox import IN_FLIGHT, OUTBOX, OutboxEntry, OutboxKind, OutboxState
from jiki_core.jobs.queues import QUEUE_DEPTH, QueuedJob, open_queue, put
from jiki_core.observability import gauge, get_logger
from jiki_core.runtime import runtime

log = get_logger(__name__)
BATCH = 500
#: of listeners that only newer code knows
LISTENER_QUEUE = "default"

_pending = gauge("jiki_outbox_pending", "Outbox rows that wait for the relay")
_oldest = gauge("jiki_outbox_oldest_seconds", "How long the oldest due outbox row has waited")
_dead = gauge("jiki_jobs_dead", "Jobs that failed for good and wait for an operator")


def relay_once(connection: redis.Redis) -> int:
    """Moves one batch of each kind; returns how many rows moved.

    Raises redis.RedisError when Valkey is away: events are fanned out all the same, the rest has not moved.
    """
    return fan_out_events() + hand_over_jobs(connection) + publish_broadcasts()


def fan_out_events() -> int:
    """Events to jobs, in PostgreSQL alone. Events that share an order key go one at a time."""
    with unit_of_work() as uow:
        events = uow.session.scalars(_due(OutboxKind.EVENT)).all()
        for entry in events:
            _fan_out(uow, entry)
            _close(entry, uow)
    return len(events)


def hand_over_jobs(connection: redis.Redis) -> int:
    """Jobs to their queues, as many as each has room for. Raises redis.RedisError."""
    handed = 0
    for queue in _queues():
        room = min(BATCH, QUEUE_DEPTH - open_queue(queue, connection).count)
        if room > 0 and (jobs := _take_jobs(queue, room)):
            put(queue, jobs, connection)
            handed += len(jobs)
    return handed


def _take_jobs(queue: str, limit: int) -> list[QueuedJob]:
    """Due jobs of a queue, marked as handed over, in one statement."""
    due = _due(OutboxKind.JOB, limit).where(OutboxEntry.queue == queue).with_only_columns(OutboxEntry.id).cte("due")
    taking = (
        update(OUTBOX)
        .where(
            OUTBOX.c.id == any_(func.array(select(due.c.id).scalar_subquery()))
        )  # by its key, however large the table
        .values(
            state=OutboxState.HANDED,
            attempt=OUTBOX.c.attempt + 1,
            handed_at=func.clock_timestamp(),
            reason=None,
        )
        .returning(*(OUTBOX.c[name] for name in ("id", "attempt", "name", "priority", "run_after", "seq")))
    )
    with unit_of_work() as uow:
        taken = uow.session.execute(taking).all()
    # RETURNING promises no order.
    ordered = sorted(taken, key=lambda row: (-row.priority, row.run_after, row.seq))
    return [QueuedJob(row.id, row.attempt, row.name, row.priority) for row in ordered]


def publish_broadcasts() -> int:
    """Durable messages to their streams; a repeat carries the same id and is dropped there. Raises redis.RedisError.

    One that no client could be sent is dead, so that those behind it do not wait for ever.
    """
    with unit_of_work() as uow:
        messages = uow.session.scalars(_due(OutboxKind.BROADCAST)).all()
        for entry in messages:
            try:
                runtime().publish(entry.name, entry.payload["message"], durable_id=str(entry.id))
            except ValueError as error:
                log.error("broadcast_refused", stream=entry.name, outbox_id=str(entry.id), reason=str(error))
                entry.state, entry.reason = OutboxState.DEAD, str(error)[:2_000]
            else:
                _close(entry, uow)
    return len(messages)


def _due(kind: OutboxKind, limit: int = BATCH) -> Select[Any]:
    """Waiting rows whose time has come and whose turn it is, the most urgent first, locked for this relay."""
    return (
        select(OutboxEntry)
        .where(
            OutboxEntry.state == OutboxState.NEW,
            OutboxEntry.kind == kind,
            OutboxEntry.run_after <= func.clock_timestamp(),
            has_its_turn(),
        )
        .order_by(OutboxEntry.priority.desc(), OutboxEntry.run_after, OutboxEntry.seq)
        .limit(limit)
        .with_for_update(of=OutboxEntry, skip_locked=True)
    )


def has_its_turn() -> ColumnElement[bool]:
    """Whether no earlier row of the same line is in flight."""
    earlier = aliased(OutboxEntry)
    must_wait = exists().where(
        earlier.order_key == OutboxEntry.order_key,
        earlier.kind == OutboxEntry.kind,
        earlier.seq < OutboxEntry.seq,
        earlier.state.in_(IN_FLIGHT),
    )
    return or_(OutboxEntry.order_key.is_(None), ~must_wait)


def measure_outbox() -> None:
    """Sets the gauges that alerts watch."""
    due = OutboxEntry.run_after <= func.clock_timestamp()
    with unit_of_work() as uow:
        waiting, oldest, dead = uow.session.execute(
            select(
                func.count().filter(OutboxEntry.state == OutboxState.NEW),
                func.extract(
                    "epoch",
                    func.clock_timestamp()
                    - func.min(OutboxEntry.run_after).filter(OutboxEntry.state == OutboxState.NEW, due),
                ),
                func.count().filter(OutboxEntry.state == OutboxState.DEAD),
            ).where(OutboxEntry.state.in_((OutboxState.NEW, OutboxState.DEAD)))
        ).one()
    _pending.set(waiting)
    _oldest.set(float(oldest or 0.0))
    _dead.set(dead)


def _queues() -> Sequence[str]:
    return sorted({bound.job.queue for bound in runtime().jobs.values()})


def _fan_out(uow: UnitOfWork, entry: OutboxEntry) -> None:
    """One durable job per listener; nobody listening is fine.

    Those that only the emitting process knew, of newer code than ours, get their job, too: it waits for their worker.
    """
    here = [bound.job_name for bound in runtime().listeners.get(entry.name, ())]
    rows = [
        {
            "id": uuid7(),
            "kind": OutboxKind.JOB,
            "name": name,
            "version": entry.version,
            "payload": {"event": entry.name, "version": entry.version, "payload": entry.payload},
            "queue": runtime().jobs[name].job.queue if name in runtime().jobs else LISTENER_QUEUE,
            "order_key": None if entry.order_key is None else f"{name}:{entry.order_key}",
            "request_id": entry.request_id,
        }
        for name in dict.fromkeys([*here, *(entry.listeners or ())])
    ]
    if rows:
        uow.session.execute(insert(OutboxEntry), rows)


def _close(entry: OutboxEntry, uow: UnitOfWork) -> None:
    entry.state, entry.finished_at = OutboxState.DONE, uow.now


def held_may_go_on() -> int:
    """Releases held rows whose plugin runs again; returns how many."""
    at = runtime()
    names = [
        name
        for name, bound in at.jobs.items()
        if at.plugins.is_running(bound.plugin)
        and not at.plugins.is_paused(bound.plugin)
        and at.plugins.suspension_of(name) is None
    ]
    with unit_of_work() as uow:
        released = uow.session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.state == OutboxState.HELD, OutboxEntry.name.in_(names))
            .values(state=OutboxState.NEW, reason=None)
            .returning(OutboxEntry.id)
        ).all()
    return len(released)
