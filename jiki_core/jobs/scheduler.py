"""The scheduler process: relay, ticks and reconciler in one loop. Any number may run (SKIP LOCKED, leases, tick rows)."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import redis
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.db.unit_of_work import DOORBELL
from jiki_core.jobs.reconciler import Reconciler, leases_over, lost_in_valkey
from jiki_core.jobs.relay import fan_out_events, hand_over_jobs, held_may_go_on, measure_outbox, publish_broadcasts
from jiki_core.jobs.schedules import tick_once, write_schedules
from jiki_core.observability import counter, get_logger

log = get_logger(__name__)
POLL_SECONDS = 1.0
RECONCILE_SECONDS = 5.0
#: Valkey keys of schedulers that are alive
HEARTBEAT = "jiki:scheduler:"
HEARTBEAT_SECONDS = 15

_failures = counter("jiki_scheduler_failures_total", "Steps of the scheduler that failed", ["cause"])


def run_scheduler(app: Flask, connection: redis.Redis, should_stop: threading.Event) -> None:
    """Relays until asked to stop. PostgreSQL or Valkey away: tries again at the next turn, loses nothing."""
    doorbell = _Doorbell(connection)
    reconciler = Reconciler(connection)
    heartbeat = f"{HEARTBEAT}{uuid.uuid4().hex}"
    next_reconciliation = next_tick = 0.0
    has_written_schedules = False
    while not should_stop.is_set():
        steps: list[Callable[[], int]] = [fan_out_events, lambda: hand_over_jobs(connection), publish_broadcasts]
        # Each step has its own attempt: Valkey away must not keep events and ticks waiting.
        moved = sum(_attempt(app, step) or 0 for step in steps)
        if time.monotonic() >= next_tick:
            next_tick = time.monotonic() + POLL_SECONDS
            has_written_schedules = has_written_schedules or _attempt(app, write_schedules) is not None
            _attempt(app, tick_once)
            if _attempt(app, lambda: int(reconciler.has_new_valkey())):
                _attempt(app, lambda: lost_in_valkey(connection, at_once=True))
        if time.monotonic() >= next_reconciliation:
            next_reconciliation = time.monotonic() + RECONCILE_SECONDS
            _attempt(app, leases_over)
            _attempt(app, lambda: lost_in_valkey(connection, at_once=False))
            _attempt(app, held_may_go_on)
            _attempt(app, measure_outbox)
            _attempt(app, lambda: int(bool(connection.set(heartbeat, b"1", ex=HEARTBEAT_SECONDS))))
        if not moved:
            doorbell.wait(POLL_SECONDS, should_stop)
    _attempt(app, lambda: int(bool(connection.delete(heartbeat))))
    doorbell.close()


def _attempt(app: Flask, step: Callable[[], int | None]) -> int | None:
    """The step's value (0 for none), or None when it failed."""
    try:
        with app.app_context():
            return step() or 0
    except (redis.RedisError, SQLAlchemyError) as error:
        _failures.labels("service").inc()
        log.warning("scheduler_step_failed", error=f"{type(error).__name__}: {error}")
    except Exception:  # a mistake in one step, ours or a row's, must not end the others, on which everything waits
        _failures.labels("mistake").inc()
        log.exception("scheduler_step_raised")
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
