"""The plan: which job runs on which queue, who listens to what, and whether somebody is there to do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from jiki_core.jobs.scheduler import HEARTBEAT
from jiki_core.runtime import Runtime


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A registered job, for people."""

    name: str
    plugin: str
    queue: str
    schedule: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is declared, and who is alive."""

    jobs: tuple[PlannedJob, ...]
    #: event -> stored names of the jobs that deliver it
    listeners: Mapping[str, tuple[str, ...]]
    #: queue -> living workers that listen to it, for queues that some job uses
    workers: Mapping[str, int]
    schedulers: int

    def mistakes(self) -> list[str]:
        """Sentences on what would wait for ever; empty when all is well."""
        found = [
            f"the queue {queue} has no worker: start one with `flask jobs worker --queue {queue}`"
            for queue, count in self.workers.items()
            if not count
        ]
        if not self.schedulers:
            found.append("no scheduler is alive: start one with `flask jobs scheduler`")
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "jobs": [
                {"name": one.name, "plugin": one.plugin, "queue": one.queue, "schedule": one.schedule}
                for one in self.jobs
            ],
            "listeners": {event: list(names) for event, names in self.listeners.items()},
            "workers": dict(self.workers),
            "schedulers": self.schedulers,
            "mistakes": self.mistakes(),
        }


def make_plan(at: Runtime, connection: redis.Redis) -> Plan:
    """Raises redis.RedisError when Valkey cannot say who is alive."""
    jobs = tuple(
        PlannedJob(
            name,
            bound.plugin,
            bound.job.queue,
            f"{bound.job.timetable.cron} {bound.job.timetable.timezone}" if bound.job.timetable else None,
        )
        for name, bound in sorted(at.jobs.items())
        if name == bound.name
    )
    listening = [
        queue for worker in BaseWorker.all(connection, serializer=JSONSerializer) for queue in worker.queue_names()
    ]
    return Plan(
        jobs=jobs,
        listeners={event: tuple(one.job_name for one in bound) for event, bound in sorted(at.listeners.items())},
        workers={queue: listening.count(queue) for queue in sorted({one.queue for one in jobs})},
        schedulers=sum(1 for _ in connection.scan_iter(match=f"{HEARTBEAT}*")),
    )
