"""RQ's side of the door: queues with the JSON serializer, and ids that name the outbox row and the attempt."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import orjson
import redis
import rq
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from jiki_core.runtime import runtime

#: what every RQ job calls
DISPATCH = "jiki_core.jobs.dispatch.run"
#: jobs of one queue that Valkey holds at most; the rest waits in PostgreSQL, where nothing is lost
QUEUE_DEPTH = 1_000
#: how long Valkey keeps what it knows of a job that nobody takes; the row, which says `handed`, then goes again
QUEUED_SECONDS = 86_400


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
    queue = open_queue(name, connection)
    back: list[str] = []
    front: list[str] = []
    with connection.pipeline() as pipeline:
        for one in jobs:
            job_id = queue_job_id(one.outbox_id, one.attempt)
            key = rq.job.Job.key_for(job_id)
            pipeline.hset(key, mapping=_hash_of(one, name))
            pipeline.expire(key, QUEUED_SECONDS)
            (front if one.rank > 0 else back).append(job_id)
        pipeline.sadd(rq.Queue.redis_queues_keys, queue.key)
        if back:
            pipeline.rpush(queue.key, *back)
        if front:
            pipeline.lpush(queue.key, *reversed(front))
        pipeline.llen(queue.key)
        return cast(int, pipeline.execute()[-1])


def _hash_of(one: QueuedJob, queue: str) -> dict[Any, Any]:
    """What RQ's worker needs of a job. RQ's own `enqueue_many` writes 25 fields, of which we use none besides these, and
    was most of what the relay cost; that RQ reads it is what every test with a worker shows."""
    bound = runtime().jobs.get(one.name)
    return {
        "data": orjson.dumps((DISPATCH, None, (str(one.outbox_id), one.attempt), {})),
        "origin": queue,
        "status": JobStatus.QUEUED.value,
        "description": one.name,
        "timeout": bound.job.timeout_seconds if bound is not None else 60,
        "ttl": QUEUED_SECONDS,
    }


def waiting_ids(name: str, connection: redis.Redis) -> set[str]:
    """RQ ids in a queue's list."""
    return set(open_queue(name, connection).get_job_ids())
