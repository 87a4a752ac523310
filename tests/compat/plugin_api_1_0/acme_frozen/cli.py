"""`flask frozen …`."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy import func, select

from acme_frozen.models import Note, Visit
from jiki_core import AccountErasure, __version__, ask, reading, unit_of_work


@click.command("report")
@with_appcontext
def report_command() -> None:
    """How many notes and visits there are."""
    counts = [reading().execute(select(func.count()).select_from(model)).scalar_one() for model in (Note, Visit)]
    click.echo(f"{counts[0]} notes, {counts[1]} visits, core {__version__}")


@click.command("close")
@click.argument("user_id", type=int)
@with_appcontext
def close_command(user_id: int) -> None:
    """End the account of USER_ID."""
    if not ask(AccountErasure).prepare(user_id):
        raise click.ClickException("something outside could not be ended")
    with unit_of_work() as uow:
        is_closed = ask(AccountErasure).close(uow, user_id, "frozen")
    click.echo("closed" if is_closed else "not closed")
