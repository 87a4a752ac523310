"""Moves a subscription to the standard price, because the card that paid was issued elsewhere (contract.md section 1, PPP).

Stripe cannot change a subscription's currency: the old one ends, and another begins in the standard currency, which first
charges when what was paid for is over. Calls outside: takes the gateway first and opens its own units; may be repeated at
any point.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from jiki_core.db import UnitOfWork, reading, unit_of_work
from jiki_core.mail import send_mail
from jiki_payments.commands.absorb_news import absorb_news
from jiki_payments.commands.ensure_stripe_prices import ensure_stripe_prices
from jiki_payments.commands.grant_entitlement import grant_entitlement
from jiki_payments.commands.member import account_of, lock_member
from jiki_payments.currencies import minor_units_per_major
from jiki_payments.models import MoveState, PriceMove, Source
from jiki_payments.pricing import PriceTable
from jiki_payments.queries.prices import current_table
from jiki_payments.stripe_gateway import JsonObject, StripeGateway, StripeRefused
from jiki_payments.stripe_news import News, news_of_answer, news_of_subscription
from jiki_payments.stripe_snapshots import Interval, StripeStatus, SubscriptionSnapshot

_DAY_SECONDS = 86_400
_MOVABLE = frozenset({StripeStatus.ACTIVE, StripeStatus.TRIALING})


def move_subscription(stripe: StripeGateway, subscription_id: str) -> MoveState:
    """Raises StripeRefused, PaymentProviderUnavailable; then it is to be tried again."""
    move = _move(subscription_id)
    if move is None:
        return MoveState.MOOT
    if move.state != MoveState.PLANNED:
        return MoveState(move.state)
    if move.started_at is None:
        move = _prepare(stripe, move)
    if move.state != MoveState.PLANNED:
        return MoveState(move.state)
    ended = _end(stripe, subscription_id)
    table = current_table()
    begun = _begin(stripe, move, table)
    with unit_of_work() as uow:
        absorb_news(uow, ended)
        absorb_news(uow, begun)
        _finish(uow, subscription_id, begun, table)
    return MoveState.DONE


def _move(subscription_id: str) -> PriceMove | None:
    query = select(PriceMove).where(PriceMove.subscription_id == subscription_id)
    return reading().scalar(query.execution_options(populate_existing=True))


def _prepare(stripe: StripeGateway, move: PriceMove) -> PriceMove:
    """Keeps how it is to be done; what was paid for stays the user's whatever happens on the way."""
    observed_at = datetime.now(UTC)
    wire = stripe.subscription(move.subscription_id)
    snapshot = news_of_answer(stripe, wire, observed_at).subscriptions[0]
    with unit_of_work() as uow:
        lock_member(uow, move.user_id)
        stored = uow.session.scalars(
            select(PriceMove).where(PriceMove.subscription_id == move.subscription_id).with_for_update()
        ).one()
        if snapshot.status not in _MOVABLE or snapshot.interval is None or snapshot.period_end is None:
            stored.state, stored.finished_at = MoveState.MOOT, uow.now
            return stored
        stored.started_at = uow.now
        stored.interval, stored.customer_id = snapshot.interval, snapshot.customer_id
        stored.payment_method_id = _identifier(wire.get("default_payment_method"))
        stored.trial_days = _whole_days(snapshot, uow.now)
        grant_entitlement(uow, move.user_id, Source.PRICE_MOVE, expires_at=snapshot.period_end)
    return stored


def _whole_days(snapshot: SubscriptionSnapshot, now: datetime) -> int:
    """Rounded up: nobody pays twice for a day."""
    assert snapshot.period_end is not None
    return max(0, math.ceil((snapshot.period_end - now).total_seconds() / _DAY_SECONDS))


def _end(stripe: StripeGateway, subscription_id: str) -> News:
    try:
        stripe.cancel_subscription(subscription_id)
    except StripeRefused as error:
        if not error.is_missing:
            raise
    return news_of_subscription(stripe, subscription_id)


def _begin(stripe: StripeGateway, move: PriceMove, table: PriceTable) -> News:
    """The new subscription; the one that an earlier try began, if it did."""
    for page in stripe.subscriptions(customer=move.customer_id):
        for subscription in page:
            if (subscription.get("metadata") or {}).get("moved_from") == move.subscription_id:
                return news_of_answer(stripe, subscription, datetime.now(UTC))
    prices = ensure_stripe_prices(stripe, table)
    params: dict[str, Any] = {
        "customer": move.customer_id,
        "items": [{"price": prices[Interval(str(move.interval))], "quantity": 1}],
        "currency": move.to_currency,
        "off_session": True,
        "metadata": {"user_id": str(move.user_id), "moved_from": move.subscription_id},
    }
    if move.trial_days:
        params["trial_period_days"] = move.trial_days
    if move.payment_method_id:
        params["default_payment_method"] = move.payment_method_id
    observed_at = datetime.now(UTC)
    return news_of_answer(stripe, stripe.create_subscription(params, f"move:{move.subscription_id}"), observed_at)


def _finish(uow: UnitOfWork, subscription_id: str, begun: News, table: PriceTable) -> None:
    snapshot = begun.subscriptions[0]
    move = uow.session.scalars(
        select(PriceMove).where(PriceMove.subscription_id == subscription_id).with_for_update()
    ).one()
    if move.state == MoveState.DONE:
        return
    move.state, move.finished_at = MoveState.DONE, uow.now
    move.new_subscription_id = snapshot.subscription_id
    account = account_of(move.user_id)
    if account is None or not account.may_receive or snapshot.period_end is None or snapshot.interval is None:
        return
    amount = getattr(table.amounts_by_currency[move.to_currency], snapshot.interval.value)
    context = {
        "handle": account.handle,
        "price": money(amount, move.to_currency),
        "interval": snapshot.interval.value,
        "begins_on": f"{snapshot.period_end:%Y-%m-%d}",
    }
    send_mail(uow, "payments.price_changed", to=account.email, context=context, locale=account.locale)


def money(amount: int, currency: str) -> str:
    """`9.99 USD`: minor units as people write them."""
    units = minor_units_per_major(currency)
    decimals = {1: 0, 100: 2, 1000: 3}[units]
    return f"{amount / units:.{decimals}f} {currency.upper()}"


def _identifier(reference: str | JsonObject | None) -> str | None:
    if reference is None:
        return None
    return reference if isinstance(reference, str) else str(reference["id"])
