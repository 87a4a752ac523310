"""News from Stripe: how subscriptions, invoices and disputes are there now, fetched with no unit of work open.

Verify, every notice, the sweep and `flask payments sync` fetch news here and hand them to `absorb_news`, so that all of
them see the same things in the same way. The time of an observation is taken before Stripe is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_payments.models import Payment
from jiki_payments.queries.stripe_prices import intervals_by_price
from jiki_payments.stripe_gateway import StripeGateway
from jiki_payments.stripe_invoices import PaidInvoice, charge_that_paid, read_paid_invoice, subscription_of
from jiki_payments.stripe_snapshots import SubscriptionSnapshot, read_subscription


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    """A charge that its card's owner contests."""

    dispute_id: str
    charge_id: str
    amount: int
    currency: str
    status: str
    reason: str | None
    opened_at: datetime
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """What was seen, in the order in which it is to be written down."""

    subscriptions: tuple[SubscriptionSnapshot, ...] = ()
    invoices: tuple[PaidInvoice, ...] = ()
    disputes: tuple[DisputeSnapshot, ...] = ()
    #: subscription id -> user id that our own metadata names
    named_users: Mapping[str, int] | None = None

    def __add__(self, other: News) -> News:
        return News(
            self.subscriptions + other.subscriptions,
            self.invoices + other.invoices,
            self.disputes + other.disputes,
            {**(self.named_users or {}), **(other.named_users or {})},
        )


NOTHING = News()


def news_of_subscription(stripe: StripeGateway, subscription_id: str) -> News:
    """The subscription, and its latest invoice when that is paid and not in our books. Raises StripeRefused,
    PaymentProviderUnavailable, UnreadableSubscription.
    """
    observed_at = datetime.now(UTC)
    return news_of_answer(stripe, stripe.subscription(subscription_id), observed_at)


def news_of_answer(stripe: StripeGateway, subscription: Mapping[str, Any], observed_at: datetime) -> News:
    """The same from a subscription that Stripe gave already, with its latest invoice."""
    invoice = subscription.get("latest_invoice")
    news = _subscription_news(subscription, observed_at)
    if isinstance(invoice, Mapping) and invoice["status"] == "paid" and not _is_in_books(invoice["id"]):
        return news + _invoice_news(stripe, invoice["id"])
    return news


def news_of_invoice(stripe: StripeGateway, invoice_id: str) -> News:
    """The invoice when it is paid, and its subscription."""
    observed_at = datetime.now(UTC)
    invoice = stripe.invoice(invoice_id)
    subscription_id = subscription_of(invoice)
    news = NOTHING
    if subscription_id is not None:
        news = _subscription_news(stripe.subscription(subscription_id), observed_at)
    return news + _paid(stripe, invoice, observed_at)


def news_of_checkout(stripe: StripeGateway, session_id: str) -> News:
    """The subscription that a checkout began; nothing when it began none."""
    subscription_id = stripe.checkout_session(session_id).get("subscription")
    return news_of_subscription(stripe, subscription_id) if subscription_id else NOTHING


def news_of_charge(stripe: StripeGateway, charge_id: str) -> News:
    """The invoice that a charge paid, with what was given back."""
    intent = stripe.charge(charge_id).get("payment_intent")
    invoice_id = stripe.invoice_of_intent(intent) if intent else None
    return news_of_invoice(stripe, invoice_id) if invoice_id else NOTHING


def news_of_refund(stripe: StripeGateway, refund_id: str) -> News:
    charge_id = stripe.refund(refund_id).get("charge")
    return news_of_charge(stripe, charge_id) if charge_id else NOTHING


def news_of_dispute(stripe: StripeGateway, dispute_id: str) -> News:
    """The dispute, and the payment it is about."""
    observed_at = datetime.now(UTC)
    dispute = read_dispute(stripe.dispute(dispute_id), observed_at)
    return news_of_charge(stripe, dispute.charge_id) + News(disputes=(dispute,))


def read_dispute(dispute: Mapping[str, Any], observed_at: datetime) -> DisputeSnapshot:
    return DisputeSnapshot(
        dispute_id=dispute["id"],
        charge_id=dispute["charge"],
        amount=dispute["amount"],
        currency=dispute["currency"],
        status=dispute["status"],
        reason=dispute.get("reason"),
        opened_at=datetime.fromtimestamp(dispute["created"], UTC),
        observed_at=observed_at,
    )


def _subscription_news(subscription: Mapping[str, Any], observed_at: datetime) -> News:
    snapshot = read_subscription(subscription, intervals_by_price(), observed_at)
    named = str((subscription.get("metadata") or {}).get("user_id") or "")
    users = {snapshot.subscription_id: int(named)} if named.isdecimal() and len(named) < 19 else {}
    return News(subscriptions=(snapshot,), named_users=users)


def _invoice_news(stripe: StripeGateway, invoice_id: str) -> News:
    observed_at = datetime.now(UTC)
    return _paid(stripe, stripe.invoice(invoice_id), observed_at)


def _paid(stripe: StripeGateway, invoice: Mapping[str, Any], observed_at: datetime) -> News:
    charge_id = charge_that_paid(invoice)
    paid = read_paid_invoice(invoice, stripe.charge(charge_id) if charge_id else None, observed_at)
    return News(invoices=(paid,)) if paid is not None else NOTHING


def _is_in_books(invoice_id: str) -> bool:
    return reading().execute(select(Payment.id).where(Payment.stripe_invoice_id == invoice_id)).first() is not None
