"""The sweep: finds what no notice told us, or what could not be used when it did. Calls outside; may run at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select

from jiki_core.db import reading, unit_of_work
from jiki_core.observability import get_logger
from jiki_payments.alerts import Alert, alert
from jiki_payments.commands.absorb_news import absorb_news
from jiki_payments.commands.ensure_stripe_prices import price_of_ours, record_stripe_price
from jiki_payments.commands.receive_notice import receive_notice
from jiki_payments.jobs import handle_stripe_notice
from jiki_payments.models import NoticeState, StripeNotice, Subscription
from jiki_payments.notices import UnreadableNotice, read_notice
from jiki_payments.stripe_gateway import StripeGateway, StripeRefused
from jiki_payments.stripe_news import News, news_of_answer, news_of_invoice, read_dispute
from jiki_payments.stripe_snapshots import UnreadableSubscription

log = get_logger(__name__)
#: Stripe tries to deliver for three days
GAP_FILL = timedelta(days=4)
#: Stripe shows events for thirty days; what is parked longer stays parked
PARKED_RETRIED_FOR = timedelta(days=30)
#: longer than a job tries (jobs.py)
GIVEN_UP_AFTER = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was found."""

    notices: int = 0
    subscriptions: int = 0
    invoices: int = 0
    disputes: int = 0
    prices: int = 0
    retried: int = 0


def sweep(stripe: StripeGateway) -> Swept:
    """Nightly: events that never arrived, subscriptions that are otherwise there, parked notices once more. Raises
    PaymentProviderUnavailable.
    """
    return Swept(
        notices=fill_gaps(stripe, datetime.now(UTC) - GAP_FILL),
        subscriptions=compare_subscriptions(stripe),
        retried=retry_parked(),
    )


def rebuild(stripe: StripeGateway) -> Swept:
    """`flask payments sync`: everything of ours that Stripe has, after a purge or a restored backup. Mails nobody.

    Raises PaymentProviderUnavailable.
    """
    return Swept(
        prices=adopt_prices(stripe),
        subscriptions=compare_subscriptions(stripe, is_news=False),
        invoices=_adopt_invoices(stripe),
        disputes=_adopt_disputes(stripe),
    )


def fill_gaps(stripe: StripeGateway, since: datetime) -> int:
    """Puts events that no notice told into the inbox; how many."""
    found = 0
    for page in stripe.events(since=int(since.timestamp())):
        known = set(
            reading().scalars(
                select(StripeNotice.event_id).where(StripeNotice.event_id.in_([event["id"] for event in page]))
            )
        )
        for event in page:
            if event["id"] not in known:
                found += _receive(event)
    return found


def compare_subscriptions(stripe: StripeGateway, *, is_news: bool = True) -> int:
    """Absorbs every subscription that is otherwise at Stripe than here; how many."""
    found = 0
    pages = stripe.subscriptions()
    while True:
        observed_at = datetime.now(UTC)
        page = next(pages, None)
        if page is None:
            return found
        known = {
            row.subscription_id: row.as_record().snapshot
            for row in reading().scalars(
                select(Subscription)
                .where(Subscription.subscription_id.in_([one["id"] for one in page]))
                .execution_options(populate_existing=True)
            )
        }
        for subscription in page:
            try:
                news = news_of_answer(stripe, subscription, observed_at)
            except (UnreadableSubscription, StripeRefused) as error:
                alert(Alert.UNREADABLE, subscription_id=subscription.get("id"), error=str(error))
                continue
            snapshot = news.subscriptions[0]
            stored = known.get(snapshot.subscription_id)
            is_same = stored is not None and replace(snapshot, observed_at=stored.observed_at) == stored
            if not is_same or news.invoices:
                found += 1
                _absorb(news, is_news=is_news)


def retry_parked() -> int:
    """Has parked notices handled once more, and those whose job gave up; how many."""
    with unit_of_work() as uow:
        parked = uow.session.scalars(
            select(StripeNotice.event_id).where(
                or_(
                    StripeNotice.state == NoticeState.PARKED,
                    and_(StripeNotice.state == NoticeState.NEW, StripeNotice.received_at < uow.now - GIVEN_UP_AFTER),
                ),
                StripeNotice.happened_at > uow.now - PARKED_RETRIED_FOR,
            )
        ).all()
        for event_id in parked:
            uow.enqueue(handle_stripe_notice, event_id=event_id)
    return len(parked)


def adopt_prices(stripe: StripeGateway) -> int:
    """Remembers the Stripe prices that our metadata is on; how many there are."""
    found = 0
    for page in stripe.prices():
        with unit_of_work() as uow:
            for price in page:
                if (ours := price_of_ours(price)) is not None:
                    record_stripe_price(uow, price["id"], *ours)
                    found += 1
    return found


def _adopt_invoices(stripe: StripeGateway) -> int:
    found = 0
    for page in stripe.invoices(status="paid"):
        for invoice in page:
            try:
                news = news_of_invoice(stripe, invoice["id"])
            except (UnreadableSubscription, StripeRefused) as error:
                alert(Alert.UNREADABLE, invoice_id=invoice["id"], error=str(error))
                continue
            _absorb(news, is_news=False)
            found += 1
    return found


def _adopt_disputes(stripe: StripeGateway) -> int:
    found = 0
    observed_at = datetime.now(UTC)
    for page in stripe.disputes():
        _absorb(News(disputes=tuple(read_dispute(one, observed_at) for one in page)), is_news=False)
        found += len(page)
    return found


def _absorb(news: News, *, is_news: bool) -> None:
    with unit_of_work() as uow:
        absorbed = absorb_news(uow, news, is_news=is_news)
    for reason in absorbed.parked:
        log.warning("sweep_parked", reason=reason)


def _receive(event: Mapping[str, Any]) -> bool:
    try:
        notice = read_notice(event)
    except UnreadableNotice as error:
        alert(Alert.UNREADABLE, event_id=event.get("id"), error=str(error))
        return False
    with unit_of_work() as uow:
        return receive_notice(uow, notice)
