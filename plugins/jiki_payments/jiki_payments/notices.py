"""Stripe's notices, as far as they need no database: what one says, and what has to be looked at because of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Subject(StrEnum):
    """What a notice makes us ask Stripe for."""

    SUBSCRIPTION = "subscription"
    CHECKOUT = "checkout"
    INVOICE = "invoice"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    #: known, and nothing of ours
    NOTHING = "nothing"
    #: never heard of
    UNKNOWN = "unknown"


#: the longest prefix that fits decides
_SUBJECTS = {
    "customer.subscription.": Subject.SUBSCRIPTION,
    "checkout.session.": Subject.CHECKOUT,
    "checkout.session.expired": Subject.NOTHING,
    "invoice.": Subject.INVOICE,
    "invoice.upcoming": Subject.NOTHING,
    "charge.refunded": Subject.CHARGE,
    "charge.refund.": Subject.REFUND,
    "refund.": Subject.REFUND,
    "charge.dispute.": Subject.DISPUTE,
    "charge.": Subject.NOTHING,
    "invoice_payment.": Subject.NOTHING,
    "payment_intent.": Subject.NOTHING,
    "payment_method.": Subject.NOTHING,
    "setup_intent.": Subject.NOTHING,
    "customer.": Subject.NOTHING,
    "price.": Subject.NOTHING,
    "product.": Subject.NOTHING,
    "plan.": Subject.NOTHING,
    "billing_portal.": Subject.NOTHING,
    "test_helpers.": Subject.NOTHING,
}


class UnreadableNotice(ValueError):
    """Signed by Stripe, and yet no event as this API version describes it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One event of Stripe's, without its object's contents: those are asked for when it is handled."""

    event_id: str
    type: str
    object_type: str
    object_id: str
    happened_at: datetime

    @property
    def subject(self) -> Subject:
        fitting = [prefix for prefix in _SUBJECTS if self.type.startswith(prefix)]
        return _SUBJECTS[max(fitting, key=len)] if fitting else Subject.UNKNOWN


def read_notice(event: object) -> Notice:
    """Raises UnreadableNotice."""
    try:
        if not isinstance(event, Mapping):
            raise TypeError("it is no object")
        thing: Mapping[str, Any] = event["data"]["object"]
        return Notice(
            event_id=_text(event["id"]),
            type=_text(event["type"]),
            object_type=_text(thing["object"]),
            object_id=_text(thing.get("id") or ""),
            happened_at=datetime.fromtimestamp(event["created"], UTC),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadableNotice(f"no event of Stripe's ({type(error).__name__}: {error})") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
