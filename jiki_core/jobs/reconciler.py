"""The reconciler: finds jobs that were handed over or started and will never end, and gives them to the relay again.

It never acts by age alone. A `handed` row goes again only when Valkey no longer has its job; a `started` row only when
its lease, which a living worker extends on the database's clock, is over.
"""

from __future__ import annotations

import redis
from sqlalchemy import func, select, update

from jiki_core.db import unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.jobs.queues import queue_job_id, waiting_ids
from jiki_core.observability import counter, get_logger

log = get_logger(__name__)
#: a job that Valkey handed to a worker is claimed within this time; a copy that comes later finds its attempt over
CLAIM_SECONDS = 10

_reruns = counter("jiki_job_reruns_total", "Jobs given to the relay again", ["cause"])


def reconcile(connection: redis.Redis) -> int:
    """One pass; returns how many rows go again. Raises redis.RedisError when Valkey cannot be asked."""
    return _leases_over() + _lost_in_valkey(connection)


def _leases_over() -> int:
    with unit_of_work() as uow:
        again = uow.session.scalars(
            update(OutboxEntry)
            .where(OutboxEntry.state == OutboxState.STARTED, OutboxEntry.lease_until < func.now())
            .values(state=OutboxState.NEW, lease_until=None, reason="the worker that had it fell silent")
            .returning(OutboxEntry.name)
        ).all()
    for name in again:
        _reruns.labels("lease_over").inc()
        log.warning("job_lease_over", job=name)
    return len(again)


def _lost_in_valkey(connection: redis.Redis) -> int:
    stale = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, CLAIM_SECONDS)
    with unit_of_work() as uow:
        handed = uow.session.execute(
            select(OutboxEntry.id, OutboxEntry.attempt, OutboxEntry.queue).where(
                OutboxEntry.state == OutboxState.HANDED, OutboxEntry.handed_at < stale
            )
        ).all()
    if not handed:
        return 0
    known = {queue: waiting_ids(queue, connection) for queue in {row.queue for row in handed}}
    lost = [row for row in handed if queue_job_id(row.id, row.attempt) not in known[row.queue]]
    with unit_of_work() as uow:
        for row in lost:
            uow.session.execute(
                update(OutboxEntry)
                .where(
                    OutboxEntry.id == row.id,
                    OutboxEntry.attempt == row.attempt,
                    OutboxEntry.state == OutboxState.HANDED,
                )
                .values(state=OutboxState.NEW, reason="Valkey lost it")
            )
            _reruns.labels("lost").inc()
    return len(lost)
