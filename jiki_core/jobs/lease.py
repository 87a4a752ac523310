"""Keeps a running job's lease: every ten seconds, on the database's clock, from a thread beside the job."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.db import db
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.jobs.run import LEASE_SECONDS, from_now
from jiki_core.observability import get_logger

log = get_logger(__name__)


@contextmanager
def keep_lease(app: Flask, outbox_id: uuid.UUID, attempt: int, timeout_seconds: int) -> Iterator[None]:
    """Extends the lease while the block runs; a database that is away is tried again at the next turn.

    Stops a lease's length after the job's time is up: a job that cannot even be interrupted is given to another worker.
    """
    done = threading.Event()
    actual = cast(Flask, app._get_current_object()) if hasattr(app, "_get_current_object") else app
    last_extension = time.monotonic() + timeout_seconds + LEASE_SECONDS

    def extend() -> None:
        while not done.wait(LEASE_SECONDS / 3) and time.monotonic() < last_extension:
            try:
                with actual.app_context(), db.engine.begin() as connection:
                    connection.execute(
                        update(OutboxEntry)
                        .where(
                            OutboxEntry.id == outbox_id,
                            OutboxEntry.attempt == attempt,
                            OutboxEntry.state == OutboxState.STARTED,
                        )
                        .values(lease_until=from_now(LEASE_SECONDS))
                    )
            except SQLAlchemyError as error:
                log.warning("lease_not_extended", outbox_id=str(outbox_id), error=type(error).__name__)

    keeper = threading.Thread(target=extend, name="jiki-lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
