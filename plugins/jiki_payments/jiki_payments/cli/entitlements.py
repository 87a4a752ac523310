"""`flask payments grant|revoke`: premium by hand."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import with_appcontext

from jiki_core.db import unit_of_work
from jiki_payments.cli.arguments import MOMENT, find_user
from jiki_payments.commands.grant_entitlement import grant_entitlement
from jiki_payments.commands.revoke_entitlement import revoke_entitlement
from jiki_payments.errors import EntitlementNotFound
from jiki_payments.models import GIVEN_BY_HAND, Source

_SOURCES = click.Choice([str(source) for source in GIVEN_BY_HAND])


@click.command("grant")
@click.argument("user")
@click.option("--source", type=_SOURCES, default=str(Source.GRANT), show_default=True)
@click.option("--until", type=MOMENT, help="End, in UTC; without it there is none.")
@click.option("--note", help="Why; kept in the audit trail.")
@with_appcontext
def grant_command(user: str, source: str, until: datetime | None, note: str | None) -> None:
    """Give USER (id, address or handle) premium, or move the end of what that source gave."""
    user_id = find_user(user).id
    with unit_of_work() as uow:
        grant_entitlement(uow, user_id, Source(source), expires_at=until, note=note)
    click.echo(
        f"user {user_id} has premium from {source} " + (f"until {until:%Y-%m-%d %H:%M} UTC" if until else "for good")
    )


@click.command("revoke")
@click.argument("user")
@click.option("--source", type=_SOURCES, default=str(Source.GRANT), show_default=True)
@click.option("--note", help="Why; kept in the audit trail.")
@with_appcontext
def revoke_command(user: str, source: str, note: str | None) -> None:
    """Take back what SOURCE gave USER; other sources stay, and a paid subscription does."""
    user_id = find_user(user).id
    try:
        with unit_of_work() as uow:
            membership = revoke_entitlement(uow, user_id, Source(source), note=note)
    except EntitlementNotFound:
        raise click.ClickException(f"user {user_id} has nothing from {source} that could be taken back") from None
    click.echo(f"user {user_id} is {'still premium, by another source' if membership.is_premium else 'standard now'}")
