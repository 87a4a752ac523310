"""`flask outbox`: looking at outbox rows of every kind, and letting a finished one happen again."""

from __future__ import annotations

import json
import uuid

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.cli.outages import ServiceGroup
from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxKind, OutboxState
from jiki_core.errors import DomainError
from jiki_core.jobs.control import describe, replay_entry


@click.group("outbox", cls=ServiceGroup)
def cli() -> None:
    """Look at what transactions asked for: jobs, events and durable broadcasts."""


@cli.command("ls")
@click.option("--kind", type=click.Choice([one.value for one in OutboxKind]))
@click.option("--state", type=click.Choice([one.value for one in OutboxState]))
@click.option("--name", help="Stored name of the job, event or stream.")
@click.option("--limit", default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def ls_command(kind: str | None, state: str | None, name: str | None, limit: int, as_json: bool) -> None:
    """List rows, newest first."""
    query = select(OutboxEntry).order_by(OutboxEntry.seq.desc()).limit(limit)
    for column, value in ((OutboxEntry.kind, kind), (OutboxEntry.state, state), (OutboxEntry.name, name)):
        if value is not None:
            query = query.where(column == value)
    entries = [describe(entry) for entry in reading().scalars(query)]
    if as_json:
        click.echo(json.dumps({"entries": entries}))
        return
    for entry in entries:
        reason = f"  {entry['reason']}" if entry["reason"] else ""
        click.echo(
            f"{entry['id']} {entry['created_at']} {entry['kind']:<9} {entry['state']:<9} {entry['name']}{reason}"
        )


@cli.command("replay")
@click.argument("entry_id", type=click.UUID)
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@click.confirmation_option(prompt="Its effect will happen once more. Go on?")
@with_appcontext
def replay_command(entry_id: uuid.UUID, reason: str) -> None:
    """Write a finished row once more under a new id: an event reaches its listeners again, a job runs again."""
    try:
        with unit_of_work() as uow:
            copy = replay_entry(uow, entry_id, reason=reason)
    except DomainError as error:
        raise click.ClickException(f"{entry_id}: {error.symbol} {error.extras or ''}".rstrip()) from error
    click.echo(str(copy))
