"""What subscribers do with their subscription: other interval, cancel, reactivate, portal (contract.md 3.12).

Calls outside: each takes the gateway first and opens its own units. Stripe's answer to a change is absorbed like any
other news of it. The idempotency key of a change is made of what is to change and of what it was, so that a repeat after a
lost answer charges nobody twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from jiki_core.db import unit_of_work
from jiki_payments.commands.absorb_news import absorb_news
from jiki_payments.commands.apply_snapshot import apply_snapshot
from jiki_payments.commands.ensure_stripe_prices import ensure_stripe_prices
from jiki_payments.errors import (
    CancelFailed,
    InvalidStripeRequest,
    NoCustomer,
    NoSubscription,
    NotCancelling,
    PortalFailed,
    ReactivateFailed,
    SameInterval,
    UpdateFailed,
)
from jiki_payments.queries.prices import current_table
from jiki_payments.queries.standings import customer_of, records_of, standings_of
from jiki_payments.stripe_gateway import JsonObject, StripeGateway, StripeRefused
from jiki_payments.stripe_news import news_of_answer
from jiki_payments.stripe_snapshots import EndReason, Interval, StripeStatus, SubscriptionSnapshot
from jiki_payments.stripe_states import Standing, SubscriptionStatus, standing_of

PORTAL_VERSION = "1"
_ENDED_OR_ENDING = frozenset({SubscriptionStatus.CANCELLING, SubscriptionStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class _Held:
    """The subscription that speaks for a user."""

    standing: Standing
    snapshot: SubscriptionSnapshot


def change_interval(stripe: StripeGateway, user_id: int, interval: Interval) -> Standing:
    """From now on, with what was paid taken into account. Raises NoSubscription, SameInterval, InvalidStripeRequest,
    UpdateFailed, PaymentProviderUnavailable.
    """
    held = _held(user_id)
    if held is None or not held.standing.status.may_change_interval:
        raise NoSubscription()
    if held.standing.interval is interval:
        raise SameInterval()
    subscription_id = held.snapshot.subscription_id
    try:
        price = ensure_stripe_prices(stripe, current_table())[interval]
        observed_at = datetime.now(UTC)
        current = stripe.subscription(subscription_id)
        item = current["items"]["data"][0]
        if item["price"]["id"] == price:  # an earlier request of ours did it, and its answer was lost
            _absorb(stripe, user_id, current, observed_at)
            return standings_of([user_id])[user_id]
        params = {
            "items": [{"id": item["id"], "price": price}],
            "proration_behavior": "always_invoice" if interval is Interval.ANNUAL else "create_prorations",
            "payment_behavior": "error_if_incomplete",
        }
        _change(stripe, user_id, held.snapshot, params, f"interval:{interval}")
    except StripeRefused as error:
        if error.decline_code is not None:
            # seen anew, it gets another idempotency key: Stripe would answer the next try with this refusal
            _absorb(stripe, user_id, stripe.subscription(subscription_id), datetime.now(UTC))
        if error.code == "idempotency_error":
            raise UpdateFailed() from error
        raise InvalidStripeRequest(decline_code=error.decline_code) from error
    return standings_of([user_id])[user_id]


def cancel(stripe: StripeGateway, user_id: int) -> Standing:
    """At the end of what is paid; repeating it is fine. Raises NoSubscription, CancelFailed, PaymentProviderUnavailable."""
    held = _held(user_id)
    if held is None:
        standing = standings_of([user_id])[user_id]
        if standing.status in _ENDED_OR_ENDING:
            return standing
        raise NoSubscription()
    if held.standing.status in _ENDED_OR_ENDING:
        return held.standing
    try:
        if held.snapshot.status is StripeStatus.INCOMPLETE:
            _absorb(stripe, user_id, stripe.cancel_subscription(held.snapshot.subscription_id))
        else:
            _change(stripe, user_id, held.snapshot, {"cancel_at_period_end": True}, "cancel")
    except StripeRefused as error:
        if not error.is_missing:
            raise CancelFailed() from error
        _mark_ended(user_id, held.snapshot)
    return standings_of([user_id])[user_id]


def reactivate(stripe: StripeGateway, user_id: int) -> Standing:
    """Takes a cancellation back. Raises NoSubscription, NotCancelling, InvalidStripeRequest, ReactivateFailed,
    PaymentProviderUnavailable.
    """
    held = _held(user_id)
    if held is None:
        raise NoSubscription()
    if not held.standing.status.may_reactivate:
        raise NotCancelling()
    try:
        _change(stripe, user_id, held.snapshot, {"cancel_at_period_end": False}, "reactivate")
    except StripeRefused as error:
        if error.code == "idempotency_error":
            raise ReactivateFailed() from error
        raise InvalidStripeRequest(decline_code=error.decline_code) from error
    return standings_of([user_id])[user_id]


def open_portal(stripe: StripeGateway, user_id: int, return_url: str) -> str:
    """Address of Stripe's page for cards and invoices. Raises NoCustomer, PortalFailed, PaymentProviderUnavailable."""
    customer = customer_of(user_id)
    if customer is None:
        raise NoCustomer()
    try:
        params = {
            "customer": customer,
            "configuration": _portal_configuration(stripe),
            "return_url": return_url,
        }
        return str(stripe.create_portal_session(params)["url"])
    except StripeRefused as error:
        raise PortalFailed() from error


def end_now(stripe: StripeGateway, user_id: int) -> None:
    """Ends whatever may still charge the user, at once. Raises StripeRefused, PaymentProviderUnavailable."""
    for record in records_of([user_id]).get(user_id, ()):
        if record.snapshot.status in (StripeStatus.CANCELED, StripeStatus.INCOMPLETE_EXPIRED):
            continue
        try:
            _absorb(stripe, user_id, stripe.cancel_subscription(record.snapshot.subscription_id))
        except StripeRefused as error:
            if not error.is_missing:
                raise
            _mark_ended(user_id, record.snapshot)


def _held(user_id: int) -> _Held | None:
    records = records_of([user_id]).get(user_id, ())
    standing = standing_of(records)
    for record in records:
        if record.snapshot.subscription_id == standing.subscription_id:
            return _Held(standing, record.snapshot)
    return None


def _change(
    stripe: StripeGateway, user_id: int, before: SubscriptionSnapshot, params: Mapping[str, Any], what: str
) -> None:
    key = f"{what}:{before.subscription_id}:{before.observed_at.timestamp()}"
    observed_at = datetime.now(UTC)
    answer = stripe.update_subscription(before.subscription_id, params, key)
    _absorb(stripe, user_id, answer, observed_at)


def _absorb(stripe: StripeGateway, user_id: int, subscription: JsonObject, observed_at: datetime | None = None) -> None:
    news = news_of_answer(stripe, subscription, observed_at or datetime.now(UTC))
    with unit_of_work() as uow:
        absorb_news(uow, news)


def _mark_ended(user_id: int, snapshot: SubscriptionSnapshot) -> None:
    """Stripe does not know it any more."""
    now = datetime.now(UTC)
    ended = replace(
        snapshot,
        status=StripeStatus.CANCELED,
        ended_at=snapshot.ended_at or now,
        end_reason=snapshot.end_reason or EndReason.CANCELED,
        observed_at=now,
    )
    with unit_of_work() as uow:
        apply_snapshot(uow, user_id, ended)


def _portal_configuration(stripe: StripeGateway) -> str:
    """Ours, made once: subscriptions are changed and cancelled in our own settings, not there."""
    for page in stripe.portal_configurations():
        for configuration in page:
            if (configuration.get("metadata") or {}).get("jiki_portal") == PORTAL_VERSION:
                return str(configuration["id"])
    params = {
        "business_profile": {"headline": "Jiki"},
        "features": {
            "customer_update": {"enabled": True, "allowed_updates": ["email", "address", "name"]},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": False},
            "subscription_update": {"enabled": False},
        },
        "metadata": {"jiki_portal": PORTAL_VERSION},
    }
    return str(stripe.create_portal_configuration(params, f"portal:{PORTAL_VERSION}")["id"])
