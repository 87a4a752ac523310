"""`flask jobs schedule`: what runs by itself, and stopping, releasing or running it by hand."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.db import UnitOfWork, reading, unit_of_work
from jiki_core.jobs.schedules import ScheduleRow, run_now, scheduled_jobs, write_schedules


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
    with unit_of_work() as uow:
        row = _row(uow, name)
        row.paused_reason = reason
        uow.audit("schedule:paused", target_type="schedule", target_id=name, reason=reason)
    click.echo(f"paused {name}")


@schedule_group.command("resume")
@click.argument("name")
@with_appcontext
def resume_command(name: str) -> None:
    """Let NAME tick again; missed ticks are treated by its catch-up policy."""
    with unit_of_work() as uow:
        row = _row(uow, name)
        uow.audit("schedule:resumed", target_type="schedule", target_id=name, before={"reason": row.paused_reason})
        row.paused_reason = None
    click.echo(f"resumed {name}")


@schedule_group.command("run")
@click.argument("name")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@with_appcontext
def run_command(name: str, reason: str) -> None:
    """Ask for the job of NAME now, beside its ticks."""
    if name not in scheduled_jobs():
        raise click.ClickException(f"no running code declares a schedule {name}")
    with unit_of_work() as uow:
        job_id = run_now(uow, name)
        uow.audit("schedule:run", target_type="schedule", target_id=name, reason=reason)
    click.echo(str(job_id))


@schedule_group.command("write")
@with_appcontext
def write_command() -> None:
    """Bring the rows to what the code declares, as a scheduler does when it starts."""
    write_schedules()
    click.echo("written")


def _row(uow: UnitOfWork, name: str) -> ScheduleRow:
    row: ScheduleRow | None = uow.session.get(ScheduleRow, name, with_for_update=True)
    if row is None:
        known = ", ".join(uow.session.scalars(select(ScheduleRow.name).order_by(ScheduleRow.name))) or "none"
        raise click.ClickException(f"there is no schedule {name}; there are: {known}")
    return row
