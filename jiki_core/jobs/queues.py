"""RQ's side of the door: queues with the JSON serializer, and ids that name the outbox row and the attempt."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import redis
import rq
from rq.serializers import JSONSerializer

from jiki_core.runtime import runtime

#: what every RQ job calls
DISPATCH = "jiki_core.jobs.dispatch.run"


def open_queue(name: str, connection: redis.Redis) -> rq.Queue:
    return rq.Queue(name, connection=connection, serializer=JSONSerializer)


def queue_job_id(outbox_id: uuid.UUID, attempt: int) -> str:
    """RQ allows letters, digits, dashes and underscores only (docs/decisions/0002)."""
    return f"{outbox_id}-{attempt}"


def put(name: str, entries: Iterable[tuple[uuid.UUID, int, str]], connection: redis.Redis) -> None:
    """Hands (outbox id, attempt, stored job name) to a queue in one round trip. Raises redis.RedisError."""
    jobs = runtime().jobs
    queue = open_queue(name, connection)
    prepared = [
        rq.Queue.prepare_data(
            DISPATCH,
            args=(str(outbox_id), attempt),
            job_id=queue_job_id(outbox_id, attempt),
            timeout=jobs[job].job.timeout_seconds if job in jobs else 60,
            result_ttl=0,
            failure_ttl=60,
            description=job,
        )
        for outbox_id, attempt, job in entries
    ]
    if prepared:
        queue.enqueue_many(prepared)


def waiting_ids(name: str, connection: redis.Redis) -> set[str]:
    """RQ ids in a queue's list."""
    return set(open_queue(name, connection).get_job_ids())
