"""What became of a checkout's first payment, in the words the web client shows (contract.md 3.12, verify).
Pure.
"""

from __future__ import annotations

from enum import StrEnum

#: Telling a thief that the bank knows helps only the thief.
_TOLD_AS_DECLINED = frozenset(
    {"fraudulent", "stolen_card", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card"}
)


class PaymentState(StrEnum):
    """`payment_state` of verify_checkout."""

    PAID = "paid"
    PROCESSING = "processing"
    FAILED = "failed"


def payment_state(
    session_payment_status: str | None, intent_status: str | None, has_payment_error: bool
) -> PaymentState:
    """The state of a checkout from its session, else from the first invoice's PaymentIntent.

    `intent_status` is None when there is no PaymentIntent, or Stripe could not be asked: then nothing is
    known to have failed.
    """
    if session_payment_status in ("paid", "no_payment_required") or intent_status == "succeeded":
        return PaymentState.PAID
    if intent_status in ("requires_payment_method", "canceled"):
        return PaymentState.FAILED
    if intent_status in (None, "processing", "requires_action", "requires_confirmation"):
        return PaymentState.PROCESSING
    return PaymentState.FAILED if has_payment_error else PaymentState.PROCESSING


def shown_decline_code(state: PaymentState, code: str | None) -> str | None:
    """The decline code a user may see: only of a failed payment, and never that the card is known to be
    stolen.
    """
    if state is not PaymentState.FAILED or not code:
        return None
    return "card_declined" if code in _TOLD_AS_DECLINED else code
