"""Keeps running jobs' leases: every third of a lease, on the database's clock, from one thread beside the jobs."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.db import db
from jiki_core.db.outbox import OUTBOX, OutboxState
from jiki_core.jobs.run import from_now, lease_seconds
from jiki_core.observability import get_logger

log = get_logger(__name__)
#: how often the thread looks which leases are due
LOOK_SECONDS = 1.0


@dataclass
class _Held:
    app: Flask
    outbox_id: uuid.UUID
    attempt: int
    #: length of one lease
    seconds: float
    #: monotonic times: the next extension, and when to give up
    due: float
    last: float


class _Keeper:
    """One thread for the process, started with the first lease: a thread for each job would cost more than many jobs."""

    def __init__(self) -> None:
        self._held: dict[int, _Held] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def hold(self, held: _Held) -> None:
        with self._lock:
            self._held[id(held)] = held
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._keep, name="jiki-lease", daemon=True)
                self._thread.start()

    def let_go(self, held: _Held) -> None:
        with self._lock:
            self._held.pop(id(held), None)

    def _keep(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            now = time.monotonic()
            with self._lock:
                due = [one for one in self._held.values() if one.due <= now < one.last]
            for one in due:
                one.due = now + one.seconds / 3
                _extend(one)


_keeper = _Keeper()


@contextmanager
def keep_lease(app: Flask, outbox_id: uuid.UUID, attempt: int, timeout_seconds: int) -> Iterator[None]:
    """Extends the lease while the block runs; a database that is away is tried again at the next turn.

    Stops a lease's length after the job's time is up: a job that cannot even be interrupted is given to another worker.
    """
    now, seconds = time.monotonic(), lease_seconds()
    actual = cast(Flask, app._get_current_object()) if hasattr(app, "_get_current_object") else app
    held = _Held(actual, outbox_id, attempt, seconds, now + seconds / 3, now + timeout_seconds + seconds)
    _keeper.hold(held)
    try:
        yield
    finally:
        _keeper.let_go(held)


def _extend(held: _Held) -> None:
    extending = (
        update(OUTBOX)
        .where(
            OUTBOX.c.id == held.outbox_id,
            OUTBOX.c.attempt == held.attempt,
            OUTBOX.c.state == OutboxState.STARTED,
        )
        .values(lease_until=from_now(held.seconds))
    )
    try:
        with held.app.app_context(), db.engine.begin() as connection:
            connection.execute(extending)
    except SQLAlchemyError as error:
        log.warning("lease_not_extended", outbox_id=str(held.outbox_id), error=type(error).__name__)
