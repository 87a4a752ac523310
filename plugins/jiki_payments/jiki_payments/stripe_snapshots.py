"""What Stripe said of one subscription at one moment, read from the wire into a frozen value.

The only place that knows where dahlia (API 2026-05-27) keeps periods, prices and reasons; stripe_states.py
decides on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class StripeStatus(StrEnum):
    """Stripe's statuses of a subscription, all of them."""

    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"


class Interval(StrEnum):
    """How often a premium subscription is paid; the wire's words."""

    MONTHLY = "monthly"
    ANNUAL = "annual"


class EndReason(StrEnum):
    """Why a stretch of a subscription's history ended (contract.md 4.2)."""

    INTERVAL_CHANGED = "interval_changed"
    PAYMENT_FAILED = "payment_failed"
    CANCELED = "canceled"


class UnreadableSubscription(ValueError):
    """Stripe's answer is not a subscription as this API version describes it: alert, do not retry."""


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """One subscription as Stripe had it at `observed_at`, the moment *before* it was asked. Times are aware,
    in UTC.
    """

    subscription_id: str
    customer_id: str
    status: StripeStatus
    price_id: str | None
    #: None: the price is none of ours
    interval: Interval | None
    currency: str
    created_at: datetime
    started_at: datetime
    #: since when the present interval has been in force, as far as Stripe tells
    interval_since: datetime
    #: the period billed last, paid or not
    period_start: datetime | None
    period_end: datetime | None
    #: when it ends by itself; None = renews
    cancels_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    payment_failed_at: datetime | None
    observed_at: datetime


def read_subscription(
    subscription: Mapping[str, Any], interval_by_price: Mapping[str, Interval], observed_at: datetime
) -> SubscriptionSnapshot:
    """Read a subscription of the Stripe API (a mapping: `StripeObject.to_dict()`).

    `interval_by_price` maps the price ids we sell to what they are. Ask for the subscription with
    `latest_invoice` expanded: without it the time of a failed payment is the start of the period that was not
    paid. Raises UnreadableSubscription.
    """
    try:
        return _read(subscription, interval_by_price, observed_at)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = subscription.get("id") if isinstance(subscription, Mapping) else None
        raise UnreadableSubscription(
            f"subscription {name or 'without id'} from Stripe cannot be read "
            f"({type(error).__name__}: {error}): "
            "is the API version pinned on the client and on the webhook endpoint?"
        ) from error


def _read(
    subscription: Mapping[str, Any], interval_by_price: Mapping[str, Interval], observed_at: datetime
) -> SubscriptionSnapshot:
    status = StripeStatus(subscription["status"])
    items = subscription["items"]["data"]
    item = next((one for one in items if one["price"]["id"] in interval_by_price), items[0] if items else None)
    period_start = _moment(item["current_period_start"]) if item else None
    period_end = _moment(item["current_period_end"]) if item else None
    started_at = _required(subscription["start_date"])
    anchor = _moment(subscription.get("billing_cycle_anchor"))
    price_id: str | None = item["price"]["id"] if item else None
    return SubscriptionSnapshot(
        subscription_id=subscription["id"],
        customer_id=_identifier(subscription["customer"]),
        status=status,
        price_id=price_id,
        interval=interval_by_price.get(price_id) if price_id else None,
        currency=subscription["currency"],
        created_at=_required(subscription["created"]),
        started_at=started_at,
        # A change of interval moves the anchor; during a trial it lies ahead and says nothing yet.
        interval_since=anchor if anchor and started_at < anchor <= observed_at else started_at,
        period_start=period_start,
        period_end=period_end,
        cancels_at=_moment(subscription.get("cancel_at"))
        or (period_end if subscription.get("cancel_at_period_end") else None),
        ended_at=_moment(subscription.get("ended_at")),
        end_reason=_end_reason(status, subscription.get("cancellation_details")),
        payment_failed_at=_failed_at(status, subscription.get("latest_invoice"), period_start),
        observed_at=observed_at,
    )


def _end_reason(status: StripeStatus, details: Mapping[str, Any] | None) -> EndReason | None:
    if status is not StripeStatus.CANCELED:
        return None
    failed = details is not None and details.get("reason") == "payment_failed"
    return EndReason.PAYMENT_FAILED if failed else EndReason.CANCELED


def _failed_at(status: StripeStatus, latest_invoice: object, period_start: datetime | None) -> datetime | None:
    if status not in (StripeStatus.PAST_DUE, StripeStatus.UNPAID):
        return None
    return _moment(latest_invoice["created"]) if isinstance(latest_invoice, Mapping) else period_start


def _identifier(reference: str | Mapping[str, Any]) -> str:
    return reference if isinstance(reference, str) else str(reference["id"])


def _required(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
