"""RQ's side of the door: queues with the JSON serializer, and ids that name the outbox row and the attempt."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import redis
import rq
from rq.serializers import JSONSerializer

from jiki_core.runtime import runtime

#: what every RQ job calls
DISPATCH = "jiki_core.jobs.dispatch.run"
#: jobs of one queue that Valkey holds at most; the rest waits in PostgreSQL, where nothing is lost
QUEUE_DEPTH = 1_000


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """What a queue is told of a job: the outbox row, the attempt, the stored name and the priority's rank."""

    outbox_id: uuid.UUID
    attempt: int
    name: str
    rank: int = 0


def open_queue(name: str, connection: redis.Redis) -> rq.Queue:
    return rq.Queue(name, connection=connection, serializer=JSONSerializer)


def queue_job_id(outbox_id: uuid.UUID, attempt: int) -> str:
    """RQ allows letters, digits, dashes and underscores only (docs/decisions/0002)."""
    return f"{outbox_id}-{attempt}"


def put(name: str, jobs: Iterable[QueuedJob], connection: redis.Redis) -> int:
    """Hands jobs to a queue in one round trip; returns how many it then holds. Raises redis.RedisError.

    Jobs of high priority go before all that wait there already.
    """
    known = runtime().jobs
    queue = open_queue(name, connection)
    prepared = [
        rq.Queue.prepare_data(
            DISPATCH,
            args=(str(one.outbox_id), one.attempt),
            job_id=queue_job_id(one.outbox_id, one.attempt),
            timeout=known[one.name].job.timeout_seconds if one.name in known else 60,
            result_ttl=0,
            failure_ttl=60,
            description=one.name,
            at_front=one.rank > 0,
        )
        for one in jobs
    ]
    with connection.pipeline() as pipeline:
        if prepared:
            queue.enqueue_many(prepared, pipeline=pipeline)
        pipeline.llen(queue.key)
        return cast(int, pipeline.execute()[-1])


def waiting_ids(name: str, connection: redis.Redis) -> set[str]:
    """RQ ids in a queue's list."""
    return set(open_queue(name, connection).get_job_ids())
