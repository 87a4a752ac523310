"""Opens a checkout at Stripe (contract.md 3.12). Calls outside: takes the gateway first and opens its own units."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.errors import NotFound
from jiki_core.jobs.tracking import track
from jiki_payments.commands.absorb_news import absorb_news
from jiki_payments.commands.decide_price import Decision, record_decision
from jiki_payments.commands.ensure_stripe_prices import ensure_stripe_prices
from jiki_payments.commands.member import account_of, lock_member
from jiki_payments.errors import CheckoutFailed, ExistingSubscription
from jiki_payments.events import CheckoutStarted
from jiki_payments.models import Member, Occasion
from jiki_payments.queries.prices import current_table
from jiki_payments.queries.standings import standings_of
from jiki_payments.stripe_gateway import JsonObject, StripeGateway, StripeRefused
from jiki_payments.stripe_news import news_of_subscription
from jiki_payments.stripe_snapshots import Interval


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a user asks for; `key` is their idempotency key, if they sent one."""

    user_id: int
    interval: Interval
    return_url: str
    trigger: str | None = None
    key: str | None = None


def open_checkout(stripe: StripeGateway, wanted: CheckoutRequest, decision: Decision) -> str:
    """The client secret of the checkout. At most one of a user can be paid: an earlier one that is still open is closed.

    Raises ExistingSubscription, CheckoutFailed, PaymentProviderUnavailable.
    """
    _check_standing(wanted.user_id)
    currency = decision.prices.currency
    try:
        _close_earlier(stripe, wanted.user_id)
        prices = ensure_stripe_prices(stripe, current_table())
        with unit_of_work() as uow:
            record_decision(uow, wanted.user_id, Occasion.CHECKOUT, decision)
        session = _create_session(stripe, wanted, prices[wanted.interval], currency)
    except StripeRefused as error:
        raise CheckoutFailed() from error
    with unit_of_work() as uow:
        lock_member(uow, wanted.user_id).open_checkout_id = session["id"]
        uow.emit(CheckoutStarted(wanted.user_id, wanted.interval, currency))
        track(
            uow,
            "payments.checkout_started",
            user_id=wanted.user_id,
            properties={
                "plan": "premium",
                "interval": wanted.interval,
                "currency": currency,
                "trigger": wanted.trigger,
            },
        )
    return str(session["client_secret"])


def _check_standing(user_id: int) -> None:
    if not standings_of([user_id])[user_id].status.may_check_out:
        raise ExistingSubscription()


def _close_earlier(stripe: StripeGateway, user_id: int) -> None:
    """So that a second tab cannot buy a second subscription, or make a second customer."""
    earlier = reading().scalar(select(Member.open_checkout_id).where(Member.user_id == user_id))
    if earlier is None:
        return
    try:
        session = stripe.checkout_session(earlier)
        if session["status"] == "open":
            stripe.expire_checkout_session(earlier)
            return
    except StripeRefused as error:
        if error.is_missing:
            return
        session = stripe.checkout_session(earlier)  # it was paid, or ended, between our two calls
    if session["status"] == "complete" and session["subscription"]:
        news = news_of_subscription(stripe, session["subscription"])
        with unit_of_work() as uow:
            absorb_news(uow, news)
        _check_standing(user_id)


def _create_session(stripe: StripeGateway, wanted: CheckoutRequest, price_id: str, currency: str) -> JsonObject:
    """Once more, with prices as Stripe has them, when it does not know ours."""
    key = f"checkout:{wanted.user_id}:{wanted.key or uuid.uuid4()}"
    try:
        return stripe.create_checkout_session(_params(wanted, price_id, currency), key)
    except StripeRefused as error:
        if not error.is_missing:
            raise
    prices = ensure_stripe_prices(stripe, current_table(), trusts_us=False)
    return stripe.create_checkout_session(_params(wanted, prices[wanted.interval], currency), f"{key}:again")


def _params(wanted: CheckoutRequest, price_id: str, currency: str) -> dict[str, Any]:
    account = account_of(wanted.user_id)
    if account is None:
        raise NotFound()
    customer = reading().scalar(select(Member.stripe_customer_id).where(Member.user_id == wanted.user_id))
    payer: dict[str, Any] = {"customer_email": account.email}
    if customer is not None:
        payer = {"customer": customer, "customer_update": {"address": "auto", "name": "auto"}}
    user = str(wanted.user_id)
    return {
        "ui_mode": "elements",
        "mode": "subscription",
        "line_items": [{"price": price_id, "quantity": 1}],
        "currency": currency,
        "return_url": wanted.return_url,
        "metadata": {"user_id": user, "price_id": price_id},
        "subscription_data": {"metadata": {"user_id": user}},
        **payer,
    }
