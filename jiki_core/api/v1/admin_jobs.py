"""`admin/jobs`: what waits, runs, died or is due, and what to do about it; each act is audited with its reason."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
import redis
from sqlalchemy import func, select

from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxKind, OutboxState
from jiki_core.errors import NotFound, Unavailable
from jiki_core.http import Blueprint, PageQuery, Reply, Schema, fields, paginate, reply, reply_page, timestamp
from jiki_core.jobs.control import (
    JobNotCancellable,
    JobNotRetryable,
    ScheduleNotRunnable,
    cancel_job,
    describe,
    pause_schedule,
    resume_schedule,
    retry_dead_jobs,
    retry_job,
    run_schedule,
)
from jiki_core.jobs.plan import make_plan
from jiki_core.jobs.schedules import ScheduleRow, scheduled_jobs
from jiki_core.runtime import runtime
from jiki_core.security import me

blp = Blueprint("jobs", __name__, url_prefix="/jobs", description="Background jobs, for operators")

STATES = tuple(state.value for state in OutboxState)


class JobQuery(PageQuery):
    state = fields.Choice(STATES, load_default="")
    queue = ma.fields.String(load_default="")
    name = ma.fields.String(load_default="", metadata={"description": "stored name, e.g. core.deliver_mail"})


class ReasonBody(Schema):
    reason = fields.Text(required=True, maximum=500)


class AdminJobShape(Schema):
    id = fields.Text(required=True)
    kind = fields.Text(required=True)
    name = fields.Text(required=True)
    queue = fields.Text(required=True)
    state = fields.Choice(STATES, required=True)
    reason = fields.Text(required=True, allow_none=True)
    attempt = fields.Whole(required=True)
    failures = fields.Whole(required=True)
    priority = fields.Whole(required=True)
    progress = fields.Dict(required=True, allow_none=True)
    request_id = fields.Text(required=True, allow_none=True)
    created_at = fields.Moment(required=True)
    run_after = fields.Moment(required=True)
    lease_until = fields.Moment(required=True, allow_none=True)
    finished_at = fields.Moment(required=True, allow_none=True)


class AdminJobList(Schema):
    results = fields.List(fields.Nested(AdminJobShape), required=True)
    meta = fields.Dict(required=True)


class AdminJobReply(Schema):
    job = fields.Nested(AdminJobShape, required=True)


class CountShape(Schema):
    queue = fields.Text(required=True)
    state = fields.Text(required=True)
    count = fields.Whole(required=True)


class SummaryReply(Schema):
    counts = fields.List(fields.Nested(CountShape), required=True)


class ScheduleShape(Schema):
    name = fields.Text(required=True)
    cron = fields.Text(required=True)
    timezone = fields.Text(required=True)
    catch_up = fields.Text(required=True)
    next_tick_at = fields.Moment(required=True)
    last_tick_at = fields.Moment(required=True, allow_none=True)
    paused_reason = fields.Text(required=True, allow_none=True)
    is_known = fields.Flag(required=True, metadata={"description": "whether the running code declares it"})


class ScheduleList(Schema):
    schedules = fields.List(fields.Nested(ScheduleShape), required=True)


class RetryDeadBody(ReasonBody):
    name = fields.Text(load_default=None, allow_none=True, metadata={"description": "stored name; all when left out"})


class RetriedReply(Schema):
    retried = fields.Whole(required=True)
    left = fields.Whole(required=True, metadata={"description": "one with their unique key is in flight"})


class ScheduleReply(Schema):
    schedule = fields.Nested(ScheduleShape, required=True)


class PlannedJobShape(Schema):
    name = fields.Text(required=True)
    plugin = fields.Text(required=True)
    queue = fields.Text(required=True)
    schedule = fields.Text(required=True, allow_none=True)


class PlanReply(Schema):
    jobs = fields.List(fields.Nested(PlannedJobShape), required=True)
    listeners = fields.Dict(required=True, metadata={"description": "event -> jobs that deliver it"})
    workers = fields.Dict(required=True, metadata={"description": "queue -> living workers"})
    schedulers = fields.Whole(required=True)
    mistakes = fields.List(fields.Text(), required=True, metadata={"description": "what would wait for ever"})


@blp.route("")
@blp.arguments(JobQuery, location="query")
@blp.response(200, AdminJobList)
def index(query: dict[str, Any]) -> Reply:
    """Jobs, newest first."""
    found = select(OutboxEntry).where(OutboxEntry.kind == OutboxKind.JOB).order_by(OutboxEntry.seq.desc())
    for column, value in (
        (OutboxEntry.state, query["state"]),
        (OutboxEntry.queue, query["queue"]),
        (OutboxEntry.name, query["name"]),
    ):
        if value:
            found = found.where(column == value)
    page = paginate(reading(), found, page=query["page"], per=query["per"])
    return reply_page(page, [describe(entry) for entry in page.items])


@blp.route("/summary")
@blp.response(200, SummaryReply)
def summary() -> Reply:
    """How many jobs there are, by queue and state."""
    rows = reading().execute(
        select(OutboxEntry.queue, OutboxEntry.state, func.count())
        .where(OutboxEntry.kind == OutboxKind.JOB)
        .group_by(OutboxEntry.queue, OutboxEntry.state)
        .order_by(OutboxEntry.queue, OutboxEntry.state)
    )
    return reply({"counts": [{"queue": queue, "state": state, "count": count} for queue, state, count in rows]})


@blp.route("/plan")
@blp.response(200, PlanReply)
@blp.raises(Unavailable)
def plan() -> Reply:
    """Which job runs where, who listens to what, and whether somebody is there to do it."""
    try:
        return reply(make_plan(runtime(), runtime().redis).as_json())
    except redis.RedisError as error:
        raise Unavailable(retry_after_seconds=1) from error


@blp.route("/retry", methods=["POST"])
@blp.arguments(RetryDeadBody)
@blp.response(200, RetriedReply)
def retry_dead(body: dict[str, Any]) -> Reply:
    """Gives dead jobs their tries back, at most 500 at once."""
    with unit_of_work() as uow:
        retried, left = retry_dead_jobs(uow, name=body["name"], reason=body["reason"], actor_id=me().user_id)
    return reply({"retried": retried, "left": left})


@blp.route("/schedules")
@blp.response(200, ScheduleList)
def schedules() -> Reply:
    """What runs by itself, and when next."""
    rows = reading().scalars(select(ScheduleRow).order_by(ScheduleRow.name)).all()
    return reply({"schedules": [_schedule_shape(row) for row in rows]})


@blp.route("/schedules/<name>/pause", methods=["POST"])
@blp.arguments(ReasonBody)
@blp.response(200, ScheduleReply)
@blp.raises(NotFound)
def pause(body: dict[str, Any], name: str) -> Reply:
    """Stops its ticks until it is resumed."""
    with unit_of_work() as uow:
        pause_schedule(uow, name, reason=body["reason"], actor_id=me().user_id)
    return _schedule_reply(name)


@blp.route("/schedules/<name>/resume", methods=["POST"])
@blp.response(200, ScheduleReply)
@blp.raises(NotFound)
def resume(name: str) -> Reply:
    """Lets it tick again; missed ticks are treated by its catch-up policy."""
    with unit_of_work() as uow:
        resume_schedule(uow, name, actor_id=me().user_id)
    return _schedule_reply(name)


@blp.route("/schedules/<name>/run", methods=["POST"])
@blp.arguments(ReasonBody)
@blp.response(200, AdminJobReply)
@blp.raises(ScheduleNotRunnable)
def run(body: dict[str, Any], name: str) -> Reply:
    """Asks for its job now, beside its ticks."""
    with unit_of_work() as uow:
        job_id = run_schedule(uow, name, reason=body["reason"], actor_id=me().user_id)
    return _reply(job_id)


@blp.route("/<job_id>")
@blp.response(200, AdminJobReply)
@blp.raises(NotFound)
def show(job_id: str) -> Reply:
    """One job, without its payload."""
    return _reply(_parse(job_id))


@blp.route("/<job_id>/retry", methods=["POST"])
@blp.arguments(ReasonBody)
@blp.response(200, AdminJobReply)
@blp.raises(NotFound, JobNotRetryable)
def retry(body: dict[str, Any], job_id: str) -> Reply:
    """Gives a dead or cancelled job its tries back."""
    wanted = _parse(job_id)
    with unit_of_work() as uow:
        retry_job(uow, wanted, reason=body["reason"], actor_id=me().user_id)
    return _reply(wanted)


@blp.route("/<job_id>/cancel", methods=["POST"])
@blp.arguments(ReasonBody)
@blp.response(200, AdminJobReply)
@blp.raises(NotFound, JobNotCancellable)
def cancel(body: dict[str, Any], job_id: str) -> Reply:
    """Stops a job; what a worker still does for it is rolled back."""
    wanted = _parse(job_id)
    with unit_of_work() as uow:
        cancel_job(uow, wanted, reason=body["reason"], actor_id=me().user_id)
    return _reply(wanted)


def _reply(wanted: uuid.UUID) -> Reply:
    entry = (
        reading()
        .scalars(
            select(OutboxEntry)
            .where(OutboxEntry.id == wanted, OutboxEntry.kind == OutboxKind.JOB)
            .execution_options(populate_existing=True)
        )
        .one_or_none()
    )
    if entry is None:
        raise NotFound()
    return reply({"job": describe(entry)})


def _schedule_reply(name: str) -> Reply:
    row = (
        reading()
        .scalars(select(ScheduleRow).where(ScheduleRow.name == name).execution_options(populate_existing=True))
        .one()
    )
    return reply({"schedule": _schedule_shape(row)})


def _schedule_shape(row: ScheduleRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "cron": row.cron,
        "timezone": row.timezone,
        "catch_up": row.catch_up,
        "next_tick_at": timestamp(row.next_tick_at),
        "last_tick_at": timestamp(row.last_tick_at),
        "paused_reason": row.paused_reason,
        "is_known": row.name in scheduled_jobs(),
    }


def _parse(job_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(job_id)
    except ValueError:
        raise NotFound() from None
