"""`flask payments sync|reconcile|replay`: bringing what is here in line with Stripe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_payments.cli.arguments import find_user
from jiki_payments.commands.absorb_news import absorb_news
from jiki_payments.commands.replay_notice import replay_notice
from jiki_payments.commands.sweep import Swept, rebuild, sweep
from jiki_payments.errors import PaymentProviderUnavailable, StripeNoticeNotFound
from jiki_payments.models import NoticeState, StripeNotice
from jiki_payments.queries.standings import customer_of, records_of, standings_of
from jiki_payments.stripe_gateway import StripeGateway, StripeRefused, stripe_gateway
from jiki_payments.stripe_news import news_of_subscription


@click.command("sync")
@click.option(
    "--sweep", "only_sweep", is_flag=True, help="Only what the nightly sweep does: recent gaps, and mails go out."
)
@with_appcontext
def sync_command(only_sweep: bool) -> None:
    """Rebuild subscriptions, payments and prices from Stripe, after a purge or a restored backup. Mails nobody."""
    swept = _asking(sweep if only_sweep else rebuild)
    click.echo(", ".join(f"{name} {count}" for name, count in asdict(swept).items() if count) or "nothing was missing")


@click.command("reconcile")
@click.argument("user")
@with_appcontext
def reconcile_command(user: str) -> None:
    """Ask Stripe for all subscriptions of USER (id, address or handle) and show where they stand."""
    user_id = find_user(user).id
    before = standings_of([user_id])[user_id]
    _asking(lambda stripe: _reconcile(stripe, user_id))
    after = standings_of([user_id])[user_id]
    if before.status is after.status:
        click.echo(f"user {user_id}: {after.status}, as before")
    else:
        click.echo(f"user {user_id}: {before.status} -> {after.status}")


@click.command("replay")
@click.argument("event_id", required=False)
@click.option("--parked", is_flag=True, help="All that are parked.")
@with_appcontext
def replay_command(event_id: str | None, parked: bool) -> None:
    """Have a notice of Stripe's handled once more; the worker does it. Harmless: it asks how things are by now."""
    if (event_id is None) == (not parked):
        raise click.UsageError("name an event id, or give --parked")
    query = select(StripeNotice.event_id).where(StripeNotice.state == NoticeState.PARKED)
    wanted = list(reading().scalars(query)) if parked else [str(event_id)]
    try:
        with unit_of_work() as uow:
            for one in wanted:
                replay_notice(uow, one)
    except StripeNoticeNotFound:
        raise click.ClickException(
            f"no notice {event_id} was received; flask payments sync --sweep fetches gaps"
        ) from None
    click.echo(f"{len(wanted)} to be handled once more")


def _asking(act: Callable[[StripeGateway], Swept]) -> Swept:
    try:
        return act(stripe_gateway())
    except PaymentProviderUnavailable:
        raise click.ClickException("Stripe does not answer; see STRIPE_SECRET_KEY and the log") from None
    except StripeRefused as error:
        raise click.ClickException(f"Stripe refused: {error}") from error


def _reconcile(stripe: StripeGateway, user_id: int) -> Swept:
    found = [
        news_of_subscription(stripe, record.snapshot.subscription_id)
        for record in records_of([user_id]).get(user_id, ())
    ]
    customer = customer_of(user_id)
    if customer is not None:
        known = {news.subscriptions[0].subscription_id for news in found}
        for page in stripe.subscriptions(customer=customer):
            found += [news_of_subscription(stripe, one["id"]) for one in page if one["id"] not in known]
    for news in found:
        with unit_of_work() as uow:
            absorb_news(uow, news)
    return Swept(subscriptions=len(found))
