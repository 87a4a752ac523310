"""The straight way: a job goes into its queue right after the commit that asked for it, without waiting for the relay.

Best effort. The row says `handed` since its transaction; when the queue did not get it, it is made `new` again here, or,
after a crash, by the reconciler. A queue that is full or away is left to the relay for a second.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import redis
from flask import current_app
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.db.database import db, pinned_connection
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.jobs.queues import QUEUE_DEPTH, QueuedJob, put
from jiki_core.observability import get_logger
from jiki_core.runtime import runtime

log = get_logger(__name__)
#: how long a queue is left to the relay once it was full or away
CLOSED_SECONDS = 1.0


def takes_jobs_at_once(queue: str) -> bool:
    """Whether the queue had room when it was last heard of."""
    return _closed().get(queue, 0.0) <= time.monotonic()


def hand_over_at_once(queue: str, jobs: Sequence[QueuedJob]) -> None:
    """Puts the first attempts of committed rows into their queue, in one round trip. Never raises."""
    try:
        depth = put(queue, jobs, runtime().redis)
    except redis.RedisError as error:
        log.info("jobs_left_to_relay", queue=queue, jobs=len(jobs), error=type(error).__name__)
        _closed()[queue] = time.monotonic() + CLOSED_SECONDS
        _leave_to_relay([one.outbox_id for one in jobs])
        return
    if depth >= QUEUE_DEPTH:
        _closed()[queue] = time.monotonic() + CLOSED_SECONDS


def _leave_to_relay(outbox_ids: Sequence[uuid.UUID]) -> None:
    """A queue that took a job without telling us holds attempt 1; the relay will hand over attempt 2, which wins."""
    again = (
        update(OutboxEntry)
        .where(OutboxEntry.id.in_(outbox_ids), OutboxEntry.attempt == 1, OutboxEntry.state == OutboxState.HANDED)
        .values(state=OutboxState.NEW)
    )
    try:
        if (pinned := pinned_connection()) is not None:
            pinned.execute(again)
        else:
            with db.engine.begin() as connection:
                connection.execute(again)
    except SQLAlchemyError as error:
        log.info("jobs_left_to_reconciler", jobs=len(outbox_ids), error=type(error).__name__)


def _closed() -> dict[str, float]:
    """Queue -> monotonic time until which it is left alone; one per app."""
    known: dict[str, float] = current_app.extensions.setdefault("jiki.closed_queues", {})
    return known
