"""Runs what the outbox asks for, in this process: the real relay, the real queues, the real dispatcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import func, select, update

from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.jobs import QUEUES
from jiki_core.jobs.dispatch import run
from jiki_core.jobs.queues import open_queue
from jiki_core.jobs.relay import relay_once
from jiki_core.runtime import runtime_of


@dataclass(frozen=True)
class Asked:
    """One row of the outbox: a job (mails are jobs), an event or a durable broadcast that was asked for."""

    #: "job", "event" or "broadcast"
    kind: str
    #: stored name of the job or event, or the stream
    name: str
    #: the job's arguments, the event's fields, the message
    payload: Mapping[str, Any]
    #: "new", "handed", "done", "held", …
    state: str


def asked_for(app: Flask, name: str | None = None) -> list[Asked]:
    """What the outbox holds, oldest first: all of it, or what is called `name`."""
    query = select(OutboxEntry.kind, OutboxEntry.name, OutboxEntry.payload, OutboxEntry.state).order_by(OutboxEntry.seq)
    if name is not None:
        query = query.where(OutboxEntry.name == name)
    with app.app_context():
        return [Asked(str(row.kind), row.name, row.payload, str(row.state)) for row in reading().execute(query)]


def drain_outbox(app: Flask, *, including_later: bool = False) -> int:
    """Relays and runs until nothing waits; returns how many jobs ran.

    `including_later` also runs what waits for a time to come, such as retries.
    """
    ran = 0
    connection = runtime_of(app).redis
    while True:
        with app.app_context():
            if including_later:
                with unit_of_work() as uow:
                    uow.session.execute(
                        update(OutboxEntry).where(OutboxEntry.state == OutboxState.NEW).values(run_after=func.now())
                    )
            moved = relay_once(connection)
        jobs = _take_all(app)
        for outbox_id, attempt in jobs:
            with app.app_context():
                run(outbox_id, attempt)
            ran += 1
        if not moved and not jobs:
            return ran


def _take_all(app: Flask) -> list[tuple[str, int]]:
    taken: list[tuple[str, int]] = []
    connection = runtime_of(app).redis
    for name in QUEUES:
        queue = open_queue(name, connection)
        for job in queue.get_jobs():
            taken.append((job.args[0], job.args[1]))
            job.delete()
    return taken
