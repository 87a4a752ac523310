"""Sweeps: what has served its time is deleted, in small batches, by scheduled jobs.

Each batch is a transaction of its own, so that a large backlog neither locks for long nor is started over.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import CursorResult, text

from jiki_core.db import unit_of_work
from jiki_core.jobs.job import Job
from jiki_core.jobs.run import JobRun
from jiki_core.jobs.schedule import Schedule
from jiki_core.observability import get_logger
from jiki_core.runtime import runtime

log = get_logger(__name__)
BATCH = 2_000
TICK_RETENTION_DAYS = 30

#: table -> the rows that may go; `:days` is the table's retention
_FINISHED = (
    "delete from core.outbox where id in (select id from core.outbox "
    "where state in ('done', 'cancelled') and finished_at < now() - make_interval(days => :days) limit :batch)"
)
_NOTIFICATIONS = (
    "delete from core.notifications where id in (select id from core.notifications "
    "where created_at < now() - make_interval(days => :days) limit :batch)"
)
_TICKS = (
    "delete from core.schedule_ticks where (schedule, tick_at) in (select schedule, tick_at from core.schedule_ticks "
    "where tick_at < now() - make_interval(days => :days) limit :batch)"
)
_IDEMPOTENCY_KEYS = (
    "delete from core.idempotency_keys where (user_id, key) in (select user_id, key from core.idempotency_keys "
    "where expires_at < now() - make_interval(days => :days) limit :batch)"
)
_MAIL_KEYS = (
    "delete from core.mail_dedupe_keys where key in (select key from core.mail_dedupe_keys "
    "where created_at < now() - make_interval(days => :days) limit :batch)"
)


def sweep_outbox(run: JobRun) -> dict[str, int]:
    """Job: finished outbox rows, their receipts with them, and old ticks. Dead rows stay until somebody decides."""
    return {
        "outbox": _sweep(run, _FINISHED, runtime().settings.outbox_retention_days),
        "schedule_ticks": _sweep(run, _TICKS, TICK_RETENTION_DAYS),
    }


def sweep_notifications(run: JobRun) -> dict[str, int]:
    """Job: notifications past their retention, read or not."""
    return {"notifications": _sweep(run, _NOTIFICATIONS, runtime().settings.notification_retention_days)}


def sweep_keys(run: JobRun) -> dict[str, int]:
    """Job: expired idempotency keys, and dedupe keys of mails as old as their outbox rows may get."""
    return {
        "idempotency_keys": _sweep(run, _IDEMPOTENCY_KEYS, 0),
        "mail_dedupe_keys": _sweep(run, _MAIL_KEYS, runtime().settings.mail_dedupe_days),
    }


def _sweep(run: JobRun, statement: str, days: int) -> int:
    swept = 0
    while True:
        with unit_of_work() as uow:
            swept_rows = cast("CursorResult[Any]", uow.session.execute(text(statement), {"days": days, "batch": BATCH}))
            count = swept_rows.rowcount
        swept += count
        if count < BATCH:
            break
        run.keep(swept=swept)  # also finds out whether the job is still ours
    if swept:
        log.info("swept", statement=statement.split()[2], rows=swept)
    return swept


SWEEPS = (
    Job(sweep_outbox, queue="heavy", unique=True, timeout_seconds=600, schedule=Schedule("17 * * * *")),
    Job(sweep_notifications, queue="heavy", unique=True, timeout_seconds=600, schedule=Schedule("37 3 * * *")),
    Job(sweep_keys, queue="heavy", unique=True, timeout_seconds=600, schedule=Schedule("47 * * * *")),
)
