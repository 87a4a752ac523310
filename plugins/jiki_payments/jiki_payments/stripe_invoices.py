"""What Stripe says of an invoice and of the money that paid it, read from the wire into frozen values. Pure.

Like stripe_snapshots.py, the only place that knows where dahlia keeps an invoice's subscription and its payments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """Money given back."""

    refund_id: str
    amount: int
    currency: str
    status: str
    reason: str | None
    refunded_at: datetime


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """A paid invoice and the charge that paid it; without a charge when there was nothing to pay."""

    invoice_id: str
    customer_id: str
    subscription_id: str | None
    amount: int
    currency: str
    paid_at: datetime
    #: the moment before Stripe was asked
    observed_at: datetime
    payment_intent_id: str | None = None
    charge_id: str | None = None
    receipt_url: str | None = None
    #: paid by a card, whose country may be unknown all the same
    is_card: bool = False
    card_country: str | None = None
    amount_refunded: int = 0
    refunds: tuple[RefundSnapshot, ...] = ()


def subscription_of(invoice: Mapping[str, Any]) -> str | None:
    """Id of the subscription that an invoice is for."""
    parent = invoice.get("parent") or {}
    details = parent.get("subscription_details") or {}
    return _identifier(details.get("subscription"))


def intents_of(invoice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The expanded payment intents of an invoice, the default one first."""
    payments = (invoice.get("payments") or {}).get("data") or []
    ordered = sorted(payments, key=lambda one: not one.get("is_default", False))
    intents = [one["payment"].get("payment_intent") for one in ordered]
    return [intent for intent in intents if isinstance(intent, Mapping)]


def charge_that_paid(invoice: Mapping[str, Any]) -> str | None:
    """Id of the charge behind a paid invoice, None when nothing was charged."""
    for intent in intents_of(invoice):
        if intent["status"] == "succeeded" and intent.get("latest_charge"):
            return _identifier(intent["latest_charge"])
    return None


def read_paid_invoice(
    invoice: Mapping[str, Any], charge: Mapping[str, Any] | None, observed_at: datetime
) -> PaidInvoice | None:
    """None for an invoice that is not paid. `charge` is the one `charge_that_paid` names, with its refunds."""
    if invoice["status"] != "paid":
        return None
    paid_at = (invoice.get("status_transitions") or {}).get("paid_at") or invoice["created"]
    subscription_id, customer_id = subscription_of(invoice), _identifier(invoice["customer"]) or ""
    if charge is None:
        return PaidInvoice(
            invoice_id=invoice["id"],
            customer_id=customer_id,
            subscription_id=subscription_id,
            amount=invoice["amount_paid"],
            currency=invoice["currency"],
            paid_at=_moment(paid_at),
            observed_at=observed_at,
            receipt_url=invoice.get("hosted_invoice_url"),
        )
    card = (charge.get("payment_method_details") or {}).get("card")
    return PaidInvoice(
        invoice_id=invoice["id"],
        customer_id=customer_id,
        subscription_id=subscription_id,
        amount=invoice["amount_paid"],
        currency=invoice["currency"],
        paid_at=_moment(paid_at),
        observed_at=observed_at,
        payment_intent_id=_identifier(charge.get("payment_intent")),
        charge_id=charge["id"],
        receipt_url=charge.get("receipt_url") or invoice.get("hosted_invoice_url"),
        is_card=card is not None,
        card_country=card.get("country") if card else None,
        amount_refunded=charge.get("amount_refunded") or 0,
        refunds=tuple(_refunds((charge.get("refunds") or {}).get("data") or [])),
    )


def _refunds(refunds: Iterable[Mapping[str, Any]]) -> Iterable[RefundSnapshot]:
    for one in refunds:
        yield RefundSnapshot(
            refund_id=one["id"],
            amount=one["amount"],
            currency=one["currency"],
            status=one["status"] or "pending",
            reason=one.get("reason"),
            refunded_at=_moment(one["created"]),
        )


def _identifier(reference: str | Mapping[str, Any] | None) -> str | None:
    if reference is None:
        return None
    return reference if isinstance(reference, str) else str(reference["id"])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
