"""`flask payments why-price|set-country`: why somebody got a price, and an operator's word on where they are."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_payments.cli.arguments import find_user
from jiki_payments.commands.set_country import set_country
from jiki_payments.countries import known_country
from jiki_payments.models import Member, PriceDecision, PriceMove
from jiki_payments.queries.prices import current_table, prices_of


@click.command("why-price")
@click.argument("user")
@with_appcontext
def why_price_command(user: str) -> None:
    """Print what USER (id, address or handle) is shown, every decision on it, and the evidence of each."""
    account = find_user(user)
    prices = prices_of([account.id])[account.id]
    click.echo(
        f"user {account.id} is shown {prices.currency} {prices.monthly} monthly, {prices.annual} annual "
        f"(country {prices.country_code or 'unknown'}, price table {current_table().version})"
    )
    click.echo(f"country of the account: {account.country_code or 'never known'}")
    member = reading().get(Member, account.id)
    if member is not None and member.price_override:
        click.echo(f"an operator said: {member.price_override}")
    query = select(PriceDecision).where(PriceDecision.user_id == account.id).order_by(PriceDecision.id)
    for row in reading().scalars(query):
        evidence = " ".join(f"{name}={value}" for name, value in sorted(row.evidence.items()) if value is not None)
        click.echo(
            f"{row.decided_at:%Y-%m-%d %H:%M} {row.occasion}: {row.currency}, country {row.country_code or 'none'}, "
            f"because of {row.basis} ({evidence}; price table {row.version})"
        )
    for move in reading().scalars(select(PriceMove).where(PriceMove.user_id == account.id)):
        click.echo(
            f"{move.planned_at:%Y-%m-%d %H:%M} move of {move.subscription_id} from {move.from_currency} to "
            f"{move.to_currency}, card from {move.card_country or 'unknown'}: {move.state}"
        )


@click.command("set-country")
@click.argument("user")
@click.argument("country", required=False)
@click.option("--note", required=True, help="Why; kept as evidence.")
@with_appcontext
def set_country_command(user: str, country: str | None, note: str) -> None:
    """Say where USER is, against all evidence; without COUNTRY take that back. Holds for the next checkout."""
    if country is not None and known_country(country) is None:
        raise click.BadParameter(f"{country} is no country of ISO 3166-1", param_hint="COUNTRY")
    user_id = find_user(user).id
    with unit_of_work() as uow:
        decision = set_country(uow, user_id, known_country(country), note=note)
    click.echo(f"user {user_id} is shown {decision.prices.currency} (country {decision.country or 'unknown'})")
