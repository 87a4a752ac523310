"""The relay: takes waiting outbox rows to where they are acted on, each exactly once per attempt.

Jobs go to RQ, events become one job per listener, durable broadcasts are published. Rows are locked with SKIP LOCKED, so
any number of relays may run; the state is committed before Valkey is told, and the reconciler finds what was not told.
"""

from __future__ import annotations

from collections.abc import Sequence

import redis
from sqlalchemy import func, insert, select, update

from jiki_core.db import UnitOfWork, unit_of_work, uuid7
from jiki_core.db.outbox import OutboxEntry, OutboxKind, OutboxState
from jiki_core.jobs.queues import open_queue, put
from jiki_core.observability import gauge, get_logger
from jiki_core.runtime import runtime

log = get_logger(__name__)
BATCH = 200
#: jobs of one queue that Valkey holds at most; the rest waits in PostgreSQL, where nothing is lost
QUEUE_DEPTH = 1_000

_pending = gauge("jiki_outbox_pending", "Outbox rows that wait for the relay")


def relay_once(connection: redis.Redis) -> int:
    """Moves one batch; returns how many rows moved. Raises redis.RedisError when Valkey is away: nothing moved then."""
    depths = {name: open_queue(name, connection).count for name in _queues()}
    handed: dict[str, list[tuple[OutboxEntry, int]]] = {}
    with unit_of_work() as uow:
        entries = uow.session.scalars(
            select(OutboxEntry)
            .where(OutboxEntry.state == OutboxState.NEW, OutboxEntry.run_after <= func.clock_timestamp())
            .order_by(OutboxEntry.run_after, OutboxEntry.seq)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        moved = 0
        for entry in entries:
            if entry.kind == OutboxKind.EVENT:
                _fan_out(uow, entry)
            elif entry.kind == OutboxKind.BROADCAST:
                runtime().publish(entry.name, entry.payload["message"], durable_id=str(entry.id))
                _close(entry, uow)
            elif depths.get(entry.queue, 0) + len(handed.get(entry.queue, ())) < QUEUE_DEPTH:
                entry.state, entry.attempt, entry.handed_at = OutboxState.HANDED, entry.attempt + 1, uow.now
                entry.reason = None
                handed.setdefault(entry.queue, []).append((entry, entry.attempt))
            else:
                continue
            moved += 1
    for queue, taken in handed.items():
        put(queue, [(entry.id, attempt, entry.name) for entry, attempt in taken], connection)
    return moved


def measure_pending() -> None:
    """Sets the gauge that alerts watch."""
    with unit_of_work() as uow:
        waiting = uow.session.execute(
            select(func.count()).select_from(OutboxEntry).where(OutboxEntry.state == OutboxState.NEW)
        ).scalar_one()
    _pending.set(waiting)


def _queues() -> Sequence[str]:
    return sorted({bound.job.queue for bound in runtime().jobs.values()})


def _fan_out(uow: UnitOfWork, entry: OutboxEntry) -> None:
    """One durable job per listener; nobody listening is fine."""
    listeners = runtime().listeners.get(entry.name, ())
    for bound in listeners:
        uow.session.execute(
            insert(OutboxEntry).values(
                id=uuid7(),
                kind=OutboxKind.JOB,
                name=bound.job_name,
                version=entry.version,
                payload={"event": entry.name, "version": entry.version, "payload": entry.payload},
                queue=runtime().jobs[bound.job_name].job.queue,
                run_after=uow.now,
                request_id=entry.request_id,
            )
        )
    _close(entry, uow)


def _close(entry: OutboxEntry, uow: UnitOfWork) -> None:
    entry.state, entry.finished_at = OutboxState.DONE, uow.now


def held_may_go_on() -> int:
    """Releases held rows whose plugin runs again; returns how many."""
    at = runtime()
    names = [
        name
        for name, bound in at.jobs.items()
        if at.plugins.is_running(bound.plugin) and not at.plugins.is_paused(bound.plugin)
    ]
    with unit_of_work() as uow:
        released = uow.session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.state == OutboxState.HELD, OutboxEntry.name.in_(names))
            .values(state=OutboxState.NEW, reason=None)
            .returning(OutboxEntry.id)
        ).all()
    return len(released)
