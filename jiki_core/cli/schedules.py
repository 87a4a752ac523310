"""`flask jobs schedule`: what runs by itself, and stopping, releasing or running it by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.db import UnitOfWork, reading, unit_of_work
from jiki_core.errors import NotFound
from jiki_core.jobs.control import ScheduleNotRunnable, pause_schedule, resume_schedule, run_schedule
from jiki_core.jobs.schedules import ScheduleRow, scheduled_jobs, write_schedules

T = TypeVar("T")


@click.group("schedule", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
@with_appcontext
def schedule_group(context: click.Context, as_json: bool) -> None:
    """List the schedules, or pause, resume or run one."""
    if context.invoked_subcommand is not None:
        return
    known = scheduled_jobs()
    rows = [
        {
            "name": row.name,
            "cron": row.cron,
            "timezone": row.timezone,
            "catch_up": row.catch_up,
            "next_tick_at": row.next_tick_at.isoformat(),
            "last_tick_at": row.last_tick_at.isoformat() if row.last_tick_at else None,
            "paused_reason": row.paused_reason,
            "is_known": row.name in known,
        }
        for row in reading().scalars(select(ScheduleRow).order_by(ScheduleRow.name))
    ]
    if as_json:
        click.echo(json.dumps({"schedules": rows}))
        return
    for row in rows:
        note = f"  paused: {row['paused_reason']}" if row["paused_reason"] else ""
        note += "" if row["is_known"] else "  no running code declares it"
        click.echo(f"{row['cron']:<16} {row['timezone']:<16} next {row['next_tick_at']}  {row['name']}{note}")
    if not rows:
        click.echo("none yet: a scheduler writes them when it starts")


@schedule_group.command("pause")
@click.argument("name")
@click.option("--reason", required=True, help="Why; shown in the list and in the audit trail.")
@with_appcontext
def pause_command(name: str, reason: str) -> None:
    """Stop the ticks of NAME until `resume`."""
    _act(name, lambda uow: pause_schedule(uow, name, reason=reason))
    click.echo(f"paused {name}")


@schedule_group.command("resume")
@click.argument("name")
@with_appcontext
def resume_command(name: str) -> None:
    """Let NAME tick again; missed ticks are treated by its catch-up policy."""
    _act(name, lambda uow: resume_schedule(uow, name))
    click.echo(f"resumed {name}")


@schedule_group.command("run")
@click.argument("name")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@with_appcontext
def run_command(name: str, reason: str) -> None:
    """Ask for the job of NAME now, beside its ticks."""
    job_id = _act(name, lambda uow: run_schedule(uow, name, reason=reason))
    click.echo(str(job_id))


@schedule_group.command("write")
@with_appcontext
def write_command() -> None:
    """Bring the rows to what the code declares, as a scheduler does when it starts."""
    write_schedules()
    click.echo("written")


def _act(name: str, act: Callable[[UnitOfWork], T]) -> T:
    try:
        with unit_of_work() as uow:
            return act(uow)
    except NotFound as error:
        known = ", ".join(reading().scalars(select(ScheduleRow.name).order_by(ScheduleRow.name))) or "none"
        raise click.ClickException(f"there is no schedule {name}; there are: {known}") from error
    except ScheduleNotRunnable as error:
        raise click.ClickException(f"no running code declares a schedule {name}") from error
