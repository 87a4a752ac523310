"""`flask jobs`: the worker and scheduler processes, and what waits or failed."""

from __future__ import annotations

import signal
import threading

import click
import redis
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy import func, select

from jiki_core.app import create_app
from jiki_core.cache import connect
from jiki_core.db import reading
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.jobs import QUEUES
from jiki_core.jobs.scheduler import run_scheduler
from jiki_core.jobs.worker import run_worker
from jiki_core.runtime import AppRole, runtime_of


@click.group("jobs")
def cli() -> None:
    """Run and watch background jobs."""


@cli.command("worker")
@click.option("--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="Queues to work on; all by default.")
@click.option("--burst", is_flag=True, help="Stop when the queues are empty.")
def worker_command(queues: tuple[str, ...], burst: bool) -> None:
    """Work on jobs until stopped. Ends by itself after 1,000 jobs or 300 MB; a supervisor starts the next one."""
    app = _serving("worker")
    run_worker(app, queues or QUEUES, _patient_connection(app), burst=burst)


@cli.command("scheduler")
def scheduler_command() -> None:
    """Relay the outbox to the queues and find what got lost. Any number may run."""
    app = _serving("scheduler")
    should_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: should_stop.set())
    run_scheduler(app, _patient_connection(app), should_stop)


@cli.command("status")
@with_appcontext
def status_command() -> None:
    """Count outbox rows by state, and list the dead ones."""
    rows = reading().execute(
        select(OutboxEntry.kind, OutboxEntry.state, func.count()).group_by(OutboxEntry.kind, OutboxEntry.state)
    )
    for kind, state, count in sorted(row._tuple() for row in rows):
        click.echo(f"{kind:<10} {state:<8} {count}")
    for dead in reading().scalars(select(OutboxEntry).where(OutboxEntry.state == OutboxState.DEAD).limit(50)):
        click.echo(f"dead: {dead.name} {dead.id}: {dead.reason}")


def _serving(role: AppRole) -> Flask:
    return create_app(role)


def _patient_connection(app: Flask) -> redis.Redis:
    """Workers block on their queues for minutes, so their socket may be silent that long."""
    return connect(runtime_of(app).settings.redis_url.reveal(), timeout_seconds=60.0)
