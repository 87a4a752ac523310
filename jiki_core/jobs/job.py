"""Jobs as plugins declare them, and as the worker knows them."""

from __future__ import annotations

import inspect
import random
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from jiki_core.db.outbox import PRIORITY_RANKS, Priority
from jiki_core.jobs.queues import QueuedJob
from jiki_core.jobs.schedule import Schedule
from jiki_core.jobs.straight import hand_over_at_once, takes_jobs_at_once

Queue = Literal["default", "mail", "heavy", "untrusted"]
#: the core's queues; production runs one worker process for each
QUEUES: tuple[Queue, ...] = ("default", "mail", "heavy", "untrusted")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Retry:
    """How often a job may fail by its own fault, and how long it waits after each failure."""

    #: failures after which it is dead
    limit: int = 8
    first_delay_seconds: float = 2.0
    factor: float = 3.0
    longest_delay_seconds: float = 3_600.0

    def delay_after(self, failures: int) -> timedelta:
        """Exponential, with ±20 % jitter, so that what failed together does not return together."""
        seconds = min(self.first_delay_seconds * self.factor ** (failures - 1), self.longest_delay_seconds)
        return timedelta(seconds=seconds * random.uniform(0.8, 1.2))


@dataclass(frozen=True)
class Job:
    """`func(uow, **json)` runs in one unit of work with its receipt; `func(run: JobRun, **json)` opens its own.

    `<plugin>.<name>` is stored and is public API: rename with `aliases`. A function that takes longer than
    `timeout_seconds` is interrupted, which counts as a failure.
    """

    func: Callable[..., Any]
    name: str | None = None
    aliases: tuple[str, ...] = ()
    queue: Queue = "default"
    retry: Retry = field(default_factory=Retry)
    timeout_seconds: int = 60
    #: of all its runs, unless one is asked for otherwise
    priority: Priority = "normal"
    #: asking for it while one with the same arguments is in flight returns that one
    unique: bool = False
    #: when it runs by itself, without arguments; a string is a cron line in UTC
    schedule: Schedule | str | None = None

    @property
    def timetable(self) -> Schedule | None:
        """The schedule, with a plain cron line made into one."""
        return Schedule(self.schedule) if isinstance(self.schedule, str) else self.schedule

    def stored_names(self, plugin: str) -> tuple[str, ...]:
        """The stored name first, then its former names."""
        return tuple(f"{plugin}.{name}" for name in (self.name or self.func.__name__, *self.aliases))

    @property
    def opens_its_own_units(self) -> bool:
        """Whether the first parameter is a JobRun rather than a UnitOfWork."""
        first = next(iter(inspect.signature(self.func).parameters.values()))
        return "JobRun" in str(first.annotation)

    def mistakes(self) -> list[str]:
        """Sentences on what would only show when it runs; empty when all is well."""
        called = self.func.__qualname__
        parameters = list(inspect.signature(self.func).parameters.values())
        if not parameters:
            return [f"the job {called} takes no arguments; its first must be `uow: UnitOfWork` or `run: JobRun`"]
        found = []
        if inspect.iscoroutinefunction(self.func):
            found.append(f"the job {called} is a coroutine function, and nothing would await it; write `def`")
        for name in (self.name or self.func.__name__, *self.aliases):
            if not _NAME.fullmatch(name):
                found.append(f"the job {called} would be stored as {name!r}; give it name='…' of a-z, 0-9 and _")
        if self.queue not in QUEUES:
            found.append(f"the job {called} names the queue {self.queue!r}; there are {', '.join(QUEUES)}")
        if self.priority not in PRIORITY_RANKS:
            found.append(f"the job {called} has the priority {self.priority!r}; there are {', '.join(PRIORITY_RANKS)}")
        if self.timeout_seconds < 1:
            found.append(f"the job {called} has a time-out of {self.timeout_seconds} s; it needs 1 at least")
        if self.retry.limit < 1 or self.retry.first_delay_seconds < 0:
            found.append(f"the job {called} has a Retry with a limit below 1 or a delay below 0")
        if self.timetable is not None:
            found += [f"the schedule of the job {called} {one}" for one in self.timetable.mistakes()]
            needed = [one.name for one in parameters[1:] if one.default is inspect.Parameter.empty]
            if needed:
                found.append(f"the job {called} is scheduled and needs {', '.join(needed)}; give them defaults")
        return found


@dataclass(frozen=True)
class BoundJob:
    """A job with its owner. `call(first, payload)` runs it."""

    plugin: str
    name: str
    job: Job
    call: Callable[[Any, dict[str, Any]], Any]

    def takes_jobs_at_once(self) -> bool:
        """Whether its queue has room, so that a job need not wait for the relay."""
        return takes_jobs_at_once(self.job.queue)

    def hand_over(self, waiting: Sequence[tuple[BoundJob, uuid.UUID, int]]) -> None:
        """Puts committed first attempts (job, outbox id, rank) of this job's queue there.

        Never raises: what the queue does not get, the relay gives it.
        """
        hand_over_at_once(self.job.queue, [QueuedJob(outbox_id, 1, one.name, rank) for one, outbox_id, rank in waiting])


def bind_job(plugin: str, job: Job) -> BoundJob:
    return BoundJob(plugin, job.stored_names(plugin)[0], job, lambda first, payload: job.func(first, **payload))
