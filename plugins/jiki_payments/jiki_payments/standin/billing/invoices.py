"""Invoices: made from lines, finalized, collected from the customer's balance and card, paid, retried,
voided.
"""

from __future__ import annotations

from collections.abc import Sequence

from jiki_payments.standin.billing import payments
from jiki_payments.standin.cards import Answer
from jiki_payments.standin.events import changing, emit
from jiki_payments.standin.presentation import list_of
from jiki_payments.standin.state import JsonObject, State

DAY = 86_400


def make_invoice(state: State, subscription: JsonObject, reason: str, lines: Sequence[JsonObject]) -> JsonObject:
    """A draft for these lines; what the customer's balance settles is settled when it is finalized."""
    identifier = state.new_id("in")
    customer = state.get("customer", subscription["customer"])
    now = state.now(customer["id"])
    total = sum(line["amount"] for line in lines)
    for line in lines:
        line["invoice"] = identifier
    invoice = state.add(
        {
            "id": identifier,
            "object": "invoice",
            "account_country": "US",
            "account_name": "Jiki stand-in",
            "amount_due": max(total, 0),
            "amount_overpaid": 0,
            "amount_paid": 0,
            "amount_remaining": max(total, 0),
            "amount_shipping": 0,
            "application": None,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": {"enabled": False, "liability": None, "status": None},
            "automatically_finalizes_at": None,
            "billing_reason": reason,
            "collection_method": "charge_automatically",
            "created": now,
            "currency": subscription["currency"],
            "custom_fields": None,
            "customer": customer["id"],
            "customer_address": customer["address"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "default_payment_method": None,
            "description": None,
            "discounts": [],
            "due_date": None,
            "effective_at": None,
            "ending_balance": None,
            "footer": None,
            "from_invoice": None,
            "hosted_invoice_url": None,
            "invoice_pdf": None,
            "last_finalization_error": None,
            "lines": list_of(lines, f"/v1/invoices/{identifier}/lines"),
            "livemode": False,
            "metadata": {},
            "next_payment_attempt": None,
            "number": None,
            "parent": {
                "quote_details": None,
                "subscription_details": {
                    "metadata": dict(subscription["metadata"]),
                    "subscription": subscription["id"],
                },
                "type": "subscription_details",
            },
            "payment_settings": {"payment_method_options": None, "payment_method_types": None},
            "period_end": max((line["period"]["end"] for line in lines), default=now),
            "period_start": min((line["period"]["start"] for line in lines), default=now),
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "receipt_number": None,
            "starting_balance": customer["balance"],
            "statement_descriptor": None,
            "status": "draft",
            "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
            "subtotal": total,
            "test_clock": customer["test_clock"],
            "total": total,
            "total_taxes": [],
        }
    )
    subscription["latest_invoice"] = identifier
    emit(state, "invoice.created", invoice)
    return invoice


def finalize(state: State, invoice: JsonObject) -> None:
    """Number it, take what the balance gives (or put on it what is owed to the customer), ask for the
    rest.
    """
    customer = state.get("customer", invoice["customer"])
    now = state.now(customer["id"])
    owed = invoice["total"] + customer["balance"]
    due = max(owed, 0)
    invoice |= {
        "status": "open",
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}",
        "starting_balance": customer["balance"],
        "ending_balance": min(owed, 0),
        "amount_due": due,
        "amount_remaining": due,
        "effective_at": now,
        "hosted_invoice_url": f"{state.public_url}/_standin/invoices/{invoice['id']}",
        "invoice_pdf": f"{state.public_url}/_standin/invoices/{invoice['id']}?pdf=1",
    }
    invoice["status_transitions"]["finalized_at"] = now
    with changing(state, customer, "customer.updated"):
        customer |= {
            "balance": min(owed, 0),
            "next_invoice_sequence": customer["next_invoice_sequence"] + 1,
            "currency": invoice["currency"],
        }
    if due:
        intent = payments.make_intent(state, due, invoice["currency"], customer["id"], "Subscription")
        _link_payment(state, invoice, intent)
    emit(state, "invoice.finalized", invoice)
    if not due:
        _mark_paid(state, invoice)


def collect(
    state: State,
    invoice: JsonObject,
    payment_method: JsonObject | None,
    *,
    verdict: tuple[Answer, str] | None = None,
) -> Answer:
    """Try to have an open invoice paid. A failure is announced; what it does to the subscription is not
    decided here.
    """
    if invoice["status"] != "open":
        return Answer.SUCCEED
    intent = intent_of(state, invoice)
    answer = payments.attempt(state, intent, payment_method, verdict=verdict)
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    settle(state, invoice, answer)
    return answer


def settle(state: State, invoice: JsonObject, answer: Answer) -> None:
    """Bring an open invoice in line with what became of its payment."""
    if answer is Answer.SUCCEED:
        _mark_paid(state, invoice)
    elif answer is Answer.DECLINE:
        emit(state, "invoice.payment_failed", invoice)
    elif answer is Answer.AUTHENTICATE:
        emit(state, "invoice.payment_action_required", invoice)


def plan_retry(state: State, invoice: JsonObject) -> bool:
    """Set when the next attempt is due by the account's schedule; False when the last one has been made."""
    retries = state.settings.retry_days
    made = invoice["attempt_count"] - 1
    if made >= len(retries):
        invoice["next_payment_attempt"] = None
        return False
    finalized_at: int = invoice["status_transitions"]["finalized_at"]
    with changing(state, invoice, "invoice.updated"):
        invoice["next_payment_attempt"] = finalized_at + sum(retries[: made + 1]) * DAY
    return True


def void(state: State, invoice: JsonObject) -> None:
    """Nothing is asked for any more."""
    if invoice["status"] not in ("draft", "open"):
        return
    now = state.now(invoice["customer"])
    for payment in state.all("invoice_payment", invoice=invoice["id"]):
        payments.cancel_intent(state, state.get("payment_intent", payment["payment"]["payment_intent"]))
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = now
    invoice |= {"status": "void", "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"]["voided_at"] = now
    emit(state, "invoice.voided", invoice)


def intent_of(state: State, invoice: JsonObject) -> JsonObject:
    """The payment intent of a finalized invoice that asks for money."""
    (payment,) = state.all("invoice_payment", invoice=invoice["id"])
    return state.get("payment_intent", payment["payment"]["payment_intent"])


def invoice_of(state: State, intent: JsonObject) -> JsonObject:
    """The invoice an intent pays for."""
    (payment,) = [one for one in state.all("invoice_payment") if one["payment"]["payment_intent"] == intent["id"]]
    return state.get("invoice", payment["invoice"])


def _link_payment(state: State, invoice: JsonObject, intent: JsonObject) -> None:
    state.add(
        {
            "id": state.new_id("inpay"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": intent["amount"],
            "created": state.now(invoice["customer"]),
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def _mark_paid(state: State, invoice: JsonObject) -> None:
    now = state.now(invoice["customer"])
    for payment in state.all("invoice_payment", invoice=invoice["id"]):
        payment |= {"status": "paid", "amount_paid": payment["amount_requested"]}
        payment["status_transitions"]["paid_at"] = now
    invoice |= {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = now
    emit(state, "invoice.paid", invoice)
    emit(state, "invoice.payment_succeeded", invoice)
