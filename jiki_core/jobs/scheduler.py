"""The scheduler process: relay and reconciler in one loop. Any number of them may run (SKIP LOCKED, leases)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import redis
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.db.unit_of_work import DOORBELL
from jiki_core.jobs.reconciler import reconcile
from jiki_core.jobs.relay import BATCH, held_may_go_on, measure_outbox, relay_once
from jiki_core.observability import get_logger

log = get_logger(__name__)
POLL_SECONDS = 1.0
RECONCILE_SECONDS = 5.0


def run_scheduler(app: Flask, connection: redis.Redis, should_stop: threading.Event) -> None:
    """Relays until asked to stop. PostgreSQL or Valkey away: tries again at the next turn, loses nothing."""
    doorbell = _Doorbell(connection)
    next_reconciliation = 0.0
    while not should_stop.is_set():
        moved = _attempt(app, lambda: relay_once(connection)) or 0
        if time.monotonic() >= next_reconciliation:
            next_reconciliation = time.monotonic() + RECONCILE_SECONDS
            _attempt(app, lambda: reconcile(connection))
            _attempt(app, held_may_go_on)
            _attempt(app, measure_outbox)
        if moved < BATCH:
            doorbell.wait(POLL_SECONDS, should_stop)
    doorbell.close()


def _attempt(app: Flask, step: Callable[[], int | None]) -> int | None:
    try:
        with app.app_context():
            return step()
    except (redis.RedisError, SQLAlchemyError) as error:
        log.warning("scheduler_step_failed", error=f"{type(error).__name__}: {error}")
        return None


class _Doorbell:
    """Wakes the loop as soon as a unit of work with outbox rows has committed; without Valkey it merely waits."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection
        self._subscription: redis.client.PubSub | None = None

    def wait(self, seconds: float, should_stop: threading.Event) -> None:
        deadline = time.monotonic() + seconds
        try:
            if self._subscription is None:
                self._subscription = self._connection.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                self._subscription.subscribe(DOORBELL)
            while not should_stop.is_set() and (left := deadline - time.monotonic()) > 0:
                if self._subscription.get_message(timeout=min(left, 0.2)) is not None:
                    while self._subscription.get_message(timeout=0) is not None:
                        pass
                    return
        except redis.RedisError:
            self.close()
            should_stop.wait(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        if self._subscription is not None:
            try:
                self._subscription.close()
            except redis.RedisError as error:
                log.info("doorbell_not_closed", error=type(error).__name__)
        self._subscription = None
