"""Looks at a checkout that came back (contract.md 3.12, verify). Calls outside: takes the gateway first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jiki_core.db import unit_of_work
from jiki_payments.checkout_states import PaymentState, payment_state, shown_decline_code
from jiki_payments.commands.absorb_news import absorb_news
from jiki_payments.commands.member import lock_member
from jiki_payments.errors import (
    CheckoutNotYours,
    CheckoutPaymentIncomplete,
    InvalidSession,
    PaymentProviderUnavailable,
    VerificationFailed,
)
from jiki_payments.queries.standings import customer_of, standings_of
from jiki_payments.queries.stripe_prices import intervals_by_price
from jiki_payments.stripe_gateway import JsonObject, StripeGateway, StripeRefused
from jiki_payments.stripe_invoices import intents_of
from jiki_payments.stripe_news import news_of_subscription
from jiki_payments.stripe_snapshots import Interval, UnreadableSubscription
from jiki_payments.stripe_states import SubscriptionStatus


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a completed checkout."""

    interval: Interval
    #: Stripe's word: paid, unpaid, no_payment_required
    payment_status: str
    payment_state: PaymentState
    decline_code: str | None
    subscription_status: SubscriptionStatus


@dataclass(frozen=True, slots=True)
class _FirstPayment:
    """The payment intent of a checkout's first invoice, as far as it could be asked for."""

    status: str | None = None
    has_error: bool = False
    decline_code: str | None = None


def verify_checkout(stripe: StripeGateway, user_id: int, session_id: str) -> Verified:
    """Absorbs what the checkout began. Raises InvalidSession, CheckoutNotYours, CheckoutPaymentIncomplete,
    VerificationFailed, PaymentProviderUnavailable.
    """
    try:
        session = _session(stripe, session_id)
        _check_owner(session, user_id)
        if session["status"] != "complete":
            raise _incomplete(stripe, session)
        if not session.get("subscription"):
            raise InvalidSession()
        news = news_of_subscription(stripe, session["subscription"])
        payment = _first_payment(stripe, session)
    except (StripeRefused, UnreadableSubscription) as error:
        raise VerificationFailed() from error
    interval = news.subscriptions[0].interval
    if interval is None:
        raise InvalidSession()
    with unit_of_work() as uow:
        member = lock_member(uow, user_id)
        if member.open_checkout_id == session_id:
            member.open_checkout_id = None
        absorb_news(uow, news)
    state = payment_state(session["payment_status"], payment.status, payment.has_error)
    return Verified(
        interval=interval,
        payment_status=session["payment_status"],
        payment_state=state,
        decline_code=shown_decline_code(state, payment.decline_code),
        subscription_status=standings_of([user_id])[user_id].status,
    )


def _session(stripe: StripeGateway, session_id: str) -> JsonObject:
    try:
        return stripe.checkout_session(session_id)
    except StripeRefused as error:
        if error.is_missing:
            raise InvalidSession() from error
        raise


def _check_owner(session: JsonObject, user_id: int) -> None:
    named = (session.get("metadata") or {}).get("user_id")
    if named is None:
        customer = session.get("customer")
        if customer is None or customer != customer_of(user_id):
            raise CheckoutNotYours()
    elif named != str(user_id):
        raise CheckoutNotYours()


def _incomplete(stripe: StripeGateway, session: JsonObject) -> CheckoutPaymentIncomplete:
    payment = _first_payment(stripe, session)
    is_failed = payment.status in ("requires_payment_method", "canceled")
    shown = shown_decline_code(PaymentState.FAILED, payment.decline_code) if is_failed else None
    return CheckoutPaymentIncomplete(decline_code=shown, interval=_interval(session), currency=session["currency"])


def _interval(session: JsonObject) -> Interval | None:
    named = (session.get("metadata") or {}).get("price_id")
    if named is None:
        lines = (session.get("line_items") or {}).get("data") or []
        named = lines[0]["price"]["id"] if lines else None
    return intervals_by_price().get(named) if named else None


def _first_payment(stripe: StripeGateway, session: JsonObject) -> _FirstPayment:
    """Nothing is known to have failed when Stripe cannot be asked (contract.md 3.12)."""
    invoice_id = session.get("invoice")
    if not invoice_id:
        return _FirstPayment()
    try:
        intents = intents_of(stripe.invoice(invoice_id))
    except (StripeRefused, PaymentProviderUnavailable):
        return _FirstPayment()
    if not intents:
        return _FirstPayment()
    error: Mapping[str, Any] = intents[0].get("last_payment_error") or {}
    return _FirstPayment(intents[0]["status"], bool(error), error.get("decline_code") or error.get("code"))
