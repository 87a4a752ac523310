"""Payment intents and charges: trying to take money, settling what was open, giving it back, and being
disputed.
"""

from __future__ import annotations

from typing import Any

from jiki_payments.standin.cards import Answer, bank_answer, payment_error
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.events import changing, emit
from jiki_payments.standin.state import JsonObject, State


def make_intent(state: State, amount: int, currency: str, customer: str, description: str) -> JsonObject:
    """A payment intent that waits for a payment method."""
    identifier = state.new_id("pi")
    intent = state.add(
        {
            "id": identifier,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "client_secret": f"{identifier}_secret_{state.new_id('s')[2:]}",
            "confirmation_method": "automatic",
            "created": state.now(customer),
            "currency": currency,
            "customer": customer,
            "description": description,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "setup_future_usage": "off_session",
            "shipping": None,
            "statement_descriptor": None,
            "status": "requires_payment_method",
            "transfer_group": None,
        }
    )
    emit(state, "payment_intent.created", intent)
    return intent


def attempt(
    state: State,
    intent: JsonObject,
    payment_method: JsonObject | None,
    *,
    verdict: tuple[Answer, str] | None = None,
) -> Answer:
    """Try to take the money; the bank's answer, unless `verdict` says what it is. Emits what Stripe emits."""
    answer, decline_code = verdict or bank_answer(state, payment_method, intent["customer"])
    intent["payment_method"] = payment_method["id"] if payment_method else None
    if answer is Answer.AUTHENTICATE:
        intent |= {
            "status": "requires_action",
            "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}},
        }
        emit(state, "payment_intent.requires_action", intent)
    elif answer is Answer.PROCESS:
        intent["status"] = "processing"
        emit(state, "payment_intent.processing", intent)
    elif answer is Answer.SUCCEED:
        _succeed(state, intent, payment_method)
    else:
        _fail(state, intent, payment_method, decline_code)
    return answer


def cancel_intent(state: State, intent: JsonObject) -> None:
    """Give up on an intent that was never paid."""
    if intent["status"] in ("succeeded", "canceled"):
        return
    intent |= {"status": "canceled", "canceled_at": state.now(intent["customer"]), "next_action": None}
    emit(state, "payment_intent.canceled", intent)


def refund(state: State, charge: JsonObject, amount: int | None, reason: str | None, metadata: Any) -> JsonObject:
    """Give back `amount` (all that is left, when None). Refuses more than was paid."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not charge["paid"] or left == 0:
        raise InvalidRequest(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    taken = left if amount is None else amount
    if not 0 < taken <= left:
        raise InvalidRequest(
            f"Refund amount ({taken}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    refunded = state.add(
        {
            "id": state.new_id("re"),
            "object": "refund",
            "amount": taken,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": state.now(charge["customer"]),
            "currency": charge["currency"],
            "customer": charge["customer"],
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "receipt_number": None,
            "status": "succeeded",
        }
    )
    with changing(state, charge, "charge.refunded"):
        charge["amount_refunded"] += taken
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    emit(state, "refund.created", refunded)
    return refunded


def dispute(state: State, charge: JsonObject, reason: str) -> JsonObject:
    """The card's owner contests the charge."""
    charge["disputed"] = True
    opened = state.add(
        {
            "id": state.new_id("dp"),
            "object": "dispute",
            "amount": charge["amount"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": state.now(charge["customer"]),
            "currency": charge["currency"],
            "customer": charge["customer"],
            "evidence": {},
            "evidence_details": {
                "due_by": None,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "needs_response",
        }
    )
    emit(state, "charge.dispute.created", opened)
    return opened


def close_dispute(state: State, opened: JsonObject, status: str) -> JsonObject:
    """`won` or `lost`."""
    opened["status"] = status
    emit(state, "charge.dispute.closed", opened)
    return opened


def _succeed(state: State, intent: JsonObject, payment_method: JsonObject | None) -> None:
    charge = _charge(state, intent, payment_method, None)
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
        "last_payment_error": None,
        "next_action": None,
    }
    emit(state, "charge.succeeded", charge)
    emit(state, "payment_intent.succeeded", intent)


def _fail(state: State, intent: JsonObject, payment_method: JsonObject | None, decline_code: str) -> None:
    charge = _charge(state, intent, payment_method, decline_code)
    intent |= {
        "status": "requires_payment_method",
        "latest_charge": charge["id"],
        "last_payment_error": payment_error(decline_code, payment_method, charge["id"]),
        "payment_method": None,
        "next_action": None,
    }
    emit(state, "charge.failed", charge)
    emit(state, "payment_intent.payment_failed", intent)


def _charge(
    state: State, intent: JsonObject, payment_method: JsonObject | None, decline_code: str | None
) -> JsonObject:
    identifier = state.new_id("ch")
    has_succeeded = decline_code is None
    error = payment_error(decline_code, None, None) if decline_code else {}
    card = payment_method["card"] if payment_method else None
    return state.add(
        {
            "id": identifier,
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if has_succeeded else 0,
            "amount_refunded": 0,
            "balance_transaction": None,
            "billing_details": payment_method["billing_details"] if payment_method else {},
            "calculated_statement_descriptor": "JIKI STAND-IN",
            "captured": has_succeeded,
            "created": state.now(intent["customer"]),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": error.get("code"),
            "failure_message": error.get("message"),
            "fraud_details": {},
            "livemode": False,
            "metadata": {},
            "outcome": {
                "network_status": "approved_by_network" if has_succeeded else "declined_by_network",
                "reason": decline_code,
                "risk_level": "normal",
                "type": "authorized" if has_succeeded else "issuer_declined",
            },
            "paid": has_succeeded,
            "payment_intent": intent["id"],
            "payment_method": payment_method["id"] if payment_method else None,
            "payment_method_details": {"card": card, "type": "card"} if card else None,
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": f"{state.public_url}/_standin/receipts/{identifier}" if has_succeeded else None,
            "refunded": False,
            "shipping": None,
            "source": None,
            "statement_descriptor": None,
            "status": "succeeded" if has_succeeded else "failed",
            "transfer_group": None,
        }
    )
