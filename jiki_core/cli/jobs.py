"""`flask jobs`: the worker and scheduler processes; what waits, runs, died or is due; and what to do about it."""

from __future__ import annotations

import json
import signal
import threading
import time
import uuid
from collections.abc import Callable

import click
import redis
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy import func, select

from jiki_core.app import create_app
from jiki_core.cache import connect
from jiki_core.cli.outages import ServiceGroup
from jiki_core.cli.schedules import schedule_group
from jiki_core.db import UnitOfWork, reading, unit_of_work
from jiki_core.db.outbox import JobReceipt, OutboxEntry, OutboxKind, OutboxState
from jiki_core.errors import DomainError
from jiki_core.jobs import QUEUES
from jiki_core.jobs.control import cancel_job, describe, retry_job
from jiki_core.jobs.exposition import serve_metrics
from jiki_core.jobs.plan import make_plan
from jiki_core.jobs.relay import fan_out_events, hand_over_jobs, has_its_turn, held_may_go_on, publish_broadcasts
from jiki_core.jobs.scheduler import run_scheduler
from jiki_core.jobs.worker import run_worker
from jiki_core.runtime import AppRole, runtime, runtime_of

_OVER = frozenset({OutboxState.DONE, OutboxState.DEAD, OutboxState.CANCELLED})


@click.group("jobs", cls=ServiceGroup)
def cli() -> None:
    """Run and watch background jobs."""


cli.add_command(schedule_group)


def _address(_context: click.Context, _parameter: click.Parameter, given: str | None) -> tuple[str, int] | None:
    host, colon, port = (given or "").rpartition(":")
    if given is None:
        return None
    if not host or not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise click.BadParameter(f"{given!r} is not HOST:PORT, such as 127.0.0.1:9400")
    return host, int(port)


metrics_option = click.option(
    "--metrics",
    "metrics_address",
    metavar="HOST:PORT",
    callback=_address,
    help="Serve /metrics there, without a token.",
)


@cli.command("worker")
@click.option("--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="Queues to work on; all by default.")
@click.option("--burst", is_flag=True, help="Stop when the queues are empty.")
@metrics_option
def worker_command(queues: tuple[str, ...], burst: bool, metrics_address: tuple[str, int] | None) -> None:
    """Work on jobs until stopped. Ends by itself after 1,000 jobs or 300 MB; a supervisor starts the next one."""
    app = _serving("worker")
    if metrics_address is not None:
        serve_metrics(*metrics_address)
    run_worker(app, queues or QUEUES, _patient_connection(app), burst=burst)


@cli.command("scheduler")
@metrics_option
def scheduler_command(metrics_address: tuple[str, int] | None) -> None:
    """Relay the outbox to the queues, keep the schedules, find what got lost. Any number may run."""
    app = _serving("scheduler")
    if metrics_address is not None:
        serve_metrics(*metrics_address)
    should_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: should_stop.set())
    run_scheduler(app, _patient_connection(app), should_stop)


@cli.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def status_command(as_json: bool) -> None:
    """Count outbox rows by kind and state, and tell how long the oldest due one has waited."""
    rows = reading().execute(
        select(OutboxEntry.kind, OutboxEntry.queue, OutboxEntry.state, func.count()).group_by(
            OutboxEntry.kind, OutboxEntry.queue, OutboxEntry.state
        )
    )
    counts = sorted(tuple(row) for row in rows)
    oldest = float(
        reading()
        .execute(
            select(func.extract("epoch", func.clock_timestamp() - func.min(OutboxEntry.run_after))).where(
                OutboxEntry.state == OutboxState.NEW, OutboxEntry.run_after <= func.clock_timestamp()
            )
        )
        .scalar_one()
        or 0
    )
    if as_json:
        names = ("kind", "queue", "state", "count")
        listed = [dict(zip(names, row, strict=True)) for row in counts]
        click.echo(json.dumps({"counts": listed, "oldest_due_seconds": oldest}))
        return
    for kind, queue, state, count in counts:
        click.echo(f"{kind:<10} {queue:<10} {state:<10} {count}")
    click.echo(f"oldest due row: {oldest:.1f} s")


@cli.command("dead")
@click.option("--name", help="Jobs of this stored name only.")
@click.option("--limit", default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def dead_command(name: str | None, limit: int, as_json: bool) -> None:
    """List jobs that failed for good, with the reason. `retry` gives them their tries back."""
    found = select(OutboxEntry).where(OutboxEntry.state == OutboxState.DEAD).order_by(OutboxEntry.seq).limit(limit)
    if name:
        found = found.where(OutboxEntry.name == name)
    entries = [describe(entry) for entry in reading().scalars(found)]
    if as_json:
        click.echo(json.dumps({"jobs": entries}))
        return
    if not entries:
        click.echo("no job is dead")
    for entry in entries:
        click.echo(f"{entry['id']} {entry['name']} ({entry['failures']} failures): {entry['reason']}")


@cli.command("retry")
@click.argument("job_ids", nargs=-1, type=click.UUID)
@click.option("--all", "every", is_flag=True, help="Every dead job.")
@click.option("--name", help="With --all: jobs of this stored name only.")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@with_appcontext
def retry_command(job_ids: tuple[uuid.UUID, ...], every: bool, name: str | None, reason: str) -> None:
    """Give dead or cancelled jobs their tries back."""
    if every == bool(job_ids):
        raise click.UsageError("name jobs by their ids, or say --all")
    if name and not every:
        raise click.UsageError("--name goes with --all")
    chosen = list(job_ids)
    if every:
        dead = select(OutboxEntry.id).where(OutboxEntry.state == OutboxState.DEAD).order_by(OutboxEntry.seq)
        chosen += reading().scalars(dead if name is None else dead.where(OutboxEntry.name == name)).all()
    if not chosen:
        click.echo("no job is dead" if name is None else f"no job {name} is dead")
    _each(chosen, "retried", lambda uow, job_id: retry_job(uow, job_id, reason=reason, kind=None))


@cli.command("cancel")
@click.argument("job_ids", nargs=-1, type=click.UUID)
@click.option("--name", help="Every job of this stored name that is not done.")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@with_appcontext
def cancel_command(job_ids: tuple[uuid.UUID, ...], name: str | None, reason: str) -> None:
    """Stop jobs that are not over; what a worker still does for them is rolled back."""
    if (name is not None) == bool(job_ids):
        raise click.UsageError("name jobs by their ids, or all of a kind by --name")
    chosen = list(job_ids)
    if name is not None:
        not_over = OutboxEntry.state.not_in((OutboxState.DONE, OutboxState.CANCELLED))
        found = select(OutboxEntry.id).where(OutboxEntry.name == name, not_over).order_by(OutboxEntry.seq)
        chosen += reading().scalars(found).all()
        if not chosen:
            click.echo(f"every job {name} is done, or there is none")
    _each(chosen, "cancelled", lambda uow, job_id: cancel_job(uow, job_id, reason=reason, kind=None))


@cli.command("watch")
@click.argument("job_id", type=click.UUID)
@click.option("--seconds", default=600.0, show_default=True, help="How long to watch at most.")
@with_appcontext
def watch_command(job_id: uuid.UUID, seconds: float) -> None:
    """Show how far a job is until it is over; exits with 1 unless it is done."""
    deadline = time.monotonic() + seconds
    with click.progressbar(length=100, label=str(job_id), item_show_func=lambda note: note) as bar:
        shown = 0
        while True:
            entry = _fresh(job_id)
            if entry is None:
                raise click.ClickException(f"there is no job {job_id}")
            told = entry.progress or {"done": 0, "total": 1}
            percent = 100 if entry.state == OutboxState.DONE else int(100 * told["done"] / max(1, told["total"]))
            bar.update(percent - shown, told.get("note"))
            shown = percent
            if entry.state in _OVER or time.monotonic() > deadline:
                break
            time.sleep(0.2)
    result = reading().execute(select(JobReceipt.result).where(JobReceipt.outbox_id == job_id)).scalar_one_or_none()
    click.echo(f"{entry.name}: {entry.state}" + (f", {entry.reason}" if entry.reason else ""))
    if result is not None:
        click.echo(json.dumps(result))
    if entry.state != OutboxState.DONE:
        raise SystemExit(1)


@cli.command("drain")
@click.option("--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="Queues to drain; all by default.")
@click.option("--seconds", default=600.0, show_default=True, help="How long to try.")
def drain_command(queues: tuple[str, ...], seconds: float) -> None:
    """Run what is due, here and now, until nothing is left; exits with 1 when something still is.

    Works beside other workers or without any. Jobs for later, dead and held ones stay.
    """
    app = _serving("worker")
    chosen = queues or QUEUES
    connection = _patient_connection(app)
    deadline = time.monotonic() + seconds
    while True:
        with app.app_context():
            held_may_go_on()
            fan_out_events()
            hand_over_jobs(connection)
            publish_broadcasts()
        was_told_to_stop = run_worker(app, chosen, connection, burst=True)
        with app.app_context():
            left = _left(chosen)
        if not left or was_told_to_stop or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    click.echo(f"{left} left" if left else "drained")
    if left:
        raise SystemExit(1)


@cli.command("plan")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def plan_command(as_json: bool) -> None:
    """Which job runs where, who listens to what; exits with 1 when a queue has no worker or nobody relays."""
    plan = make_plan(runtime(), runtime().redis)
    if as_json:
        click.echo(json.dumps(plan.as_json()))
    else:
        for job in plan.jobs:
            schedule = f"  every {job.schedule}" if job.schedule else ""
            click.echo(f"{job.queue:<10} {job.plugin:<12} {job.name}{schedule}")
        for event, listeners in plan.listeners.items():
            click.echo(f"{event} -> {', '.join(listeners)}")
        for queue, workers in plan.workers.items():
            click.echo(f"queue {queue}: {workers} worker(s)")
        click.echo(f"schedulers: {plan.schedulers}")
    for mistake in plan.mistakes():
        click.echo(mistake, err=True)
    if plan.mistakes():
        raise SystemExit(1)


def _each(job_ids: list[uuid.UUID], done: str, act: Callable[[UnitOfWork, uuid.UUID], None]) -> None:
    """One transaction for each, so that one that cannot be helped does not keep the others."""
    has_failed = False
    for job_id in job_ids:
        try:
            with unit_of_work() as uow:
                act(uow, job_id)
        except DomainError as error:
            has_failed = True
            click.echo(f"{job_id}: {error.symbol} {error.extras or ''}".rstrip(), err=True)
        else:
            click.echo(f"{done} {job_id}")
    if has_failed:
        raise SystemExit(1)


def _left(queues: tuple[str, ...]) -> int:
    """Due rows that are not over; those that wait for an earlier one of their line, which is not due, left out."""
    count: int = (
        reading()
        .execute(
            select(func.count())
            .select_from(OutboxEntry)
            .where(
                OutboxEntry.state.in_((OutboxState.NEW, OutboxState.HANDED, OutboxState.STARTED)),
                OutboxEntry.run_after <= func.clock_timestamp(),
                (OutboxEntry.state != OutboxState.NEW) | has_its_turn(),
                (OutboxEntry.kind != OutboxKind.JOB) | OutboxEntry.queue.in_(queues),
            )
        )
        .scalar_one()
    )
    return count


def _fresh(job_id: uuid.UUID) -> OutboxEntry | None:
    found: OutboxEntry | None = reading().get(OutboxEntry, job_id, populate_existing=True)
    return found


def _serving(role: AppRole) -> Flask:
    return create_app(role)


def _patient_connection(app: Flask) -> redis.Redis:
    """Workers block on their queues for minutes, so their socket may be silent that long."""
    return connect(runtime_of(app).settings.redis_url.reveal(), timeout_seconds=60.0)
