"""Schedules as rows: each tick asks for its job once, however many schedulers run (architecture.md section 3).

A scheduler locks the due rows it can get; the row (schedule, tick) is inserted by the transaction that asks for the job.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

from sqlalchemy import CheckConstraint, DateTime, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import CoreModel, Timestamp, UnitOfWork, unit_of_work
from jiki_core.db.outbox import JobOptions
from jiki_core.jobs.job import BoundJob
from jiki_core.jobs.schedule import MISSED_AFTER_SECONDS, Schedule
from jiki_core.observability import counter, get_logger
from jiki_core.runtime import runtime

log = get_logger(__name__)
#: missed ticks that one pass catches up with, so that an outage of a year does not fill the outbox at once
CATCH_UP_LIMIT = 500

_ticks = counter("jiki_schedule_ticks_total", "Ticks that asked for their job", ["task"])


class ScheduleRow(CoreModel):
    """A schedule as the newest deployed code declares it, and where it stands."""

    __tablename__ = "schedules"

    #: stored name of its job
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    cron: Mapped[str] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(Text)
    catch_up: Mapped[str] = mapped_column(Text)
    next_tick_at: Mapped[Timestamp]
    last_tick_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: an operator stopped it, and why
    paused_reason: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (CheckConstraint("catch_up in ('latest', 'all', 'none')", name="catch_up"),)


class ScheduleTick(CoreModel):
    """One tick that asked for its job: the guard against a second run."""

    __tablename__ = "schedule_ticks"

    schedule: Mapped[str] = mapped_column(Text, primary_key=True)
    tick_at: Mapped[Timestamp] = mapped_column(primary_key=True)
    #: opaque: done outbox rows are swept earlier than ticks
    outbox_id: Mapped[uuid.UUID]
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


def scheduled_jobs() -> dict[str, BoundJob]:
    """Stored name -> job with a schedule, of this process's plugins."""
    return {name: bound for name, bound in runtime().jobs.items() if name == bound.name and bound.job.timetable}


def write_schedules(now: datetime | None = None) -> None:
    """Brings the rows to what this process's code declares; a schedule that changed starts afresh. Once per start."""
    with unit_of_work() as uow:
        moment = now or _database_time(uow)
        for name, bound in sorted(scheduled_jobs().items()):
            declared = bound.job.timetable
            assert declared is not None, "scheduled_jobs gave it"
            columns = {"cron": declared.cron, "timezone": declared.timezone, "catch_up": declared.catch_up}
            first = insert(ScheduleRow).values(
                name=name, next_tick_at=declared.next_after(moment), updated_at=moment, **columns
            )
            uow.session.execute(
                first.on_conflict_do_update(
                    index_elements=["name"],
                    set_={**columns, "next_tick_at": first.excluded.next_tick_at, "updated_at": moment},
                    where=(ScheduleRow.cron != first.excluded.cron)
                    | (ScheduleRow.timezone != first.excluded.timezone)
                    | (ScheduleRow.catch_up != first.excluded.catch_up),
                )
            )


def tick_once(now: datetime | None = None) -> int:
    """Asks for the jobs of all due ticks; returns how many. Schedules of paused plugins catch up afterwards."""
    at = runtime()
    known = [
        name
        for name, bound in scheduled_jobs().items()
        if at.plugins.is_running(bound.plugin) and not at.plugins.is_paused(bound.plugin)
    ]
    asked = 0
    with unit_of_work() as uow:
        moment = now or _database_time(uow)
        due = uow.session.scalars(
            select(ScheduleRow)
            .where(
                ScheduleRow.name.in_(known),
                ScheduleRow.paused_reason.is_(None),
                ScheduleRow.next_tick_at <= moment,
            )
            .with_for_update(skip_locked=True)
        ).all()
        for row in due:
            declared = Schedule(row.cron, row.timezone, row.catch_up)  # type: ignore[arg-type]  # the table's check says which
            try:
                ticks, following = due_ticks(declared, row.next_tick_at, moment)
            except (ValueError, KeyError):  # a cron line or time zone of other code: the other schedules must not wait
                log.exception("schedule_not_understood", schedule=row.name, cron=row.cron, timezone=row.timezone)
                continue
            for tick in ticks:
                asked += _ask(uow, row.name, tick)
            row.last_tick_at = ticks[-1] if ticks else row.last_tick_at
            row.next_tick_at = following
    return asked


def due_ticks(schedule: Schedule, next_tick_at: datetime, now: datetime) -> tuple[Sequence[datetime], datetime]:
    """(ticks to run now, the next tick), by the catch-up policy. Pure."""
    if schedule.catch_up == "all":
        later = takewhile(lambda tick: tick <= now, schedule.ticks_after(next_tick_at))
        pending = [next_tick_at, *islice(later, CATCH_UP_LIMIT - 1)]
        return pending, schedule.next_after(pending[-1])
    latest = max(schedule.latest_at(now), next_tick_at)
    is_on_time = now - latest <= timedelta(seconds=MISSED_AFTER_SECONDS)
    ticks = [latest] if schedule.catch_up == "latest" or is_on_time else []
    return ticks, schedule.next_after(now)


def run_now(uow: UnitOfWork, name: str) -> uuid.UUID:
    """Asks for a scheduled job beside its ticks. Raises KeyError for a name that no plugin here declares."""
    return uow.enqueue_named(name, {}, JobOptions())


def _ask(uow: UnitOfWork, name: str, tick: datetime) -> int:
    """1 when this tick had not been asked for."""
    is_known = uow.session.execute(
        select(ScheduleTick.outbox_id).where(ScheduleTick.schedule == name, ScheduleTick.tick_at == tick)
    ).scalar_one_or_none()
    if is_known is not None:
        return 0
    outbox_id = uow.enqueue_named(name, {}, JobOptions())
    uow.session.add(ScheduleTick(schedule=name, tick_at=tick, outbox_id=outbox_id))
    uow.session.flush()  # the key refuses a tick that another transaction has taken, and all of ours rolls back
    _ticks.labels(name).inc()
    return 1


def _database_time(uow: UnitOfWork) -> datetime:
    moment: datetime = uow.session.execute(select(func.clock_timestamp())).scalar_one()
    return moment
