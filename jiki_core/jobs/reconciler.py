"""The reconciler: finds jobs that were handed over or started and will never end, and gives them to the relay again.

It never acts by age alone. A `handed` row goes again only when Valkey no longer has its job; a `started` row only when
its lease, which a living worker extends on the database's clock, is over; and not for ever.
"""

from __future__ import annotations

from typing import cast

import redis
from sqlalchemy import ColumnElement, func, select, true, update

from jiki_core.db import UnitOfWork, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.jobs.queues import queue_job_id, waiting_ids
from jiki_core.jobs.run import SILENCES, from_now, tell_owner
from jiki_core.observability import counter, get_logger

log = get_logger(__name__)
#: a job that Valkey handed to a worker is claimed within this time; a copy that comes later finds its attempt over
CLAIM_SECONDS = 10
#: workers that may fall silent with a job before nobody tries it any more: it may be what ends them
SILENCES_LIMIT = 5
#: as long as this key stands, Valkey has not been emptied
CANARY = "jiki:canary"

_reruns = counter("jiki_job_reruns_total", "Jobs given to the relay again", ["cause"])


def leases_over() -> int:
    """Rows whose worker fell silent go again, or are dead after `SILENCES_LIMIT` workers; returns how many.

    Needs PostgreSQL only. A row that its worker is just settling is locked, and is left alone.
    """
    over = select(OutboxEntry).where(
        OutboxEntry.state == OutboxState.STARTED, OutboxEntry.lease_until < func.clock_timestamp()
    )
    with unit_of_work() as uow:
        entries = uow.session.scalars(over.with_for_update(skip_locked=True)).all()
        for entry in entries:
            _let_go(uow, entry)
    return len(entries)


def _let_go(uow: UnitOfWork, entry: OutboxEntry) -> None:
    kept = entry.checkpoint or {}
    silences = kept.get(SILENCES, 0) + 1
    is_dead = silences >= SILENCES_LIMIT
    entry.checkpoint = {**kept, SILENCES: silences}
    entry.lease_until = None
    entry.state = OutboxState.DEAD if is_dead else OutboxState.NEW
    entry.reason = "the worker that had it fell silent"
    if is_dead:
        entry.reason = (
            f"{silences} workers fell silent while they ran it: it may need more memory than a worker has, or kill it; "
            "look at the workers' logs"
        )
        if entry.owner_id is not None:
            tell_owner(uow, entry.owner_id, entry.id, entry.name, is_done=False)
    _reruns.labels("lease_over").inc()
    log.warning("job_lease_over", job=entry.name, outbox_id=str(entry.id), silences=silences, is_dead=is_dead)


class Reconciler:
    """Remembers which Valkey it saw, so that a restarted or emptied one is noticed at once."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection
        self._run_id: str | None = None

    def reconcile(self) -> int:
        """One pass; returns how many rows go again. Raises redis.RedisError when Valkey cannot be asked."""
        return leases_over() + lost_in_valkey(self._connection, at_once=False)

    def has_new_valkey(self) -> bool:
        """Whether Valkey restarted or was emptied since the last look. Raises redis.RedisError."""
        with self._connection.pipeline(transaction=False) as pipeline:
            pipeline.info("server")
            pipeline.set(CANARY, b"1", nx=True)
            server, was_missing = pipeline.execute()
        run_id = str(cast("dict[str, object]", server)["run_id"])
        is_new = self._run_id is not None and (run_id != self._run_id or bool(was_missing))
        self._run_id = run_id
        if is_new:
            log.warning("valkey_is_new", run_id=run_id)
        return is_new


def reconcile(connection: redis.Redis) -> int:
    """One pass without memory of earlier ones; returns how many rows go again. Raises redis.RedisError."""
    return Reconciler(connection).reconcile()


def lost_in_valkey(connection: redis.Redis, *, at_once: bool) -> int:
    """Handed rows that no queue has go again; returns how many.

    `at_once` also looks at those handed over a moment ago. A worker may have taken such a job and not claimed it yet:
    it then finds its attempt over and leaves it.
    """
    old_enough: ColumnElement[bool] = true() if at_once else OutboxEntry.handed_at < from_now(-CLAIM_SECONDS)
    with unit_of_work() as uow:
        handed = uow.session.execute(
            select(OutboxEntry.id, OutboxEntry.attempt, OutboxEntry.queue).where(
                OutboxEntry.state == OutboxState.HANDED, old_enough
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
