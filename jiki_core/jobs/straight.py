"""The straight way: a job goes into its queue right after the commit that asked for it, without waiting for the relay.

Best effort. The row says `handed` since its transaction; when the queue did not get it, it is made `new` again here, or,
after a crash, by the reconciler. A queue that is full or away is left to the relay for a second.
"""

from __future__ import annotations

import time
import uuid

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


def hand_over_at_once(queue: str, outbox_id: uuid.UUID, name: str, rank: int) -> None:
    """Puts the first attempt of a committed row into its queue. Never raises."""
    try:
        depth = put(queue, [QueuedJob(outbox_id, 1, name, rank)], runtime().redis)
    except redis.RedisError as error:
        log.info("job_left_to_relay", outbox_id=str(outbox_id), error=type(error).__name__)
        _closed()[queue] = time.monotonic() + CLOSED_SECONDS
        _leave_to_relay(outbox_id)
        return
    if depth >= QUEUE_DEPTH:
        _closed()[queue] = time.monotonic() + CLOSED_SECONDS


def _leave_to_relay(outbox_id: uuid.UUID) -> None:
    """A queue that took the job without telling us holds attempt 1; the relay will hand over attempt 2, which wins."""
    again = (
        update(OutboxEntry)
        .where(OutboxEntry.id == outbox_id, OutboxEntry.attempt == 1, OutboxEntry.state == OutboxState.HANDED)
        .values(state=OutboxState.NEW)
    )
    try:
        if (pinned := pinned_connection()) is not None:
            pinned.execute(again)
        else:
            with db.engine.begin() as connection:
                connection.execute(again)
    except SQLAlchemyError as error:
        log.info("job_left_to_reconciler", outbox_id=str(outbox_id), error=type(error).__name__)


def _closed() -> dict[str, float]:
    """Queue -> monotonic time until which it is left alone; one per app."""
    known: dict[str, float] = current_app.extensions.setdefault("jiki.closed_queues", {})
    return known
