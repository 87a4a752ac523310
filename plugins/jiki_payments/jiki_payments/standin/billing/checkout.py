"""Checkout sessions: opened by the API, completed (or not) by whoever plays the customer, expired by time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jiki_payments.standin.billing import invoices, payments, subscriptions
from jiki_payments.standin.cards import Answer, Card, make_payment_method
from jiki_payments.standin.customers import make_customer
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.events import changing, emit
from jiki_payments.standin.state import JsonObject, State


class Outcome(StrEnum):
    """How a customer leaves the checkout form."""

    PAID = "paid"
    DECLINED = "declined"
    #: the bank wants to see the customer first
    REQUIRES_ACTION = "requires_action"
    #: submitted, and the money comes later or not at all (`settle_payment`)
    PROCESSING = "processing"


_ANSWERS = {
    Outcome.PAID: Answer.SUCCEED,
    Outcome.DECLINED: Answer.DECLINE,
    Outcome.REQUIRES_ACTION: Answer.AUTHENTICATE,
    Outcome.PROCESSING: Answer.PROCESS,
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who fills in the form, and with which card."""

    email: str = "learner@example.com"
    name: str = "A Learner"
    card_country: str = "US"


def complete(
    state: State,
    session: JsonObject,
    outcome: Outcome,
    visitor: Visitor,
    decline_code: str = "generic_decline",
) -> JsonObject:
    """Submit the form. The session is complete when paid or processing; after the others it may be tried
    again.
    """
    if session["status"] != "open":
        raise InvalidRequest(f"This Checkout Session is {session['status']} and cannot be paid.")
    customer = _customer_of(state, session, visitor)
    card = Card(country=visitor.card_country)
    method = make_payment_method(state, card, customer=customer["id"], email=visitor.email, name=visitor.name)
    emit(state, "payment_method.attached", method)
    subscription = _subscription_of(state, session, customer)
    invoice = state.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        subscriptions.collect_latest(state, subscription, method, verdict=(_ANSWERS[outcome], decline_code))
    if outcome in (Outcome.DECLINED, Outcome.REQUIRES_ACTION):
        return session
    with changing(state, subscription, "customer.subscription.updated"):
        subscription["default_payment_method"] = method["id"]
    session |= {"status": "complete", "url": None, "payment_status": _payment_status(invoice)}
    emit(state, "checkout.session.completed", session)
    return session


def settle_payment(state: State, intent: JsonObject, *, is_paid: bool, decline_code: str) -> None:
    """The end of a payment that was processing or waited for the customer: the money came, or did not."""
    if intent["status"] not in ("processing", "requires_action"):
        raise InvalidRequest(f"{intent['id']} is {intent['status']}: nothing is open that could be settled.")
    invoice = invoices.invoice_of(state, intent)
    subscription = state.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    method = state.objects["payment_method"].get(intent["payment_method"])
    verdict = (Answer.SUCCEED if is_paid else Answer.DECLINE, decline_code)
    answer = payments.attempt(state, intent, method, verdict=verdict)
    invoices.settle(state, invoice, answer)
    subscriptions.follow_payment(state, subscription, invoice, answer)
    for session in state.all("checkout.session", subscription=subscription["id"], status="complete"):
        if session["payment_status"] == "unpaid":
            session["payment_status"] = _payment_status(invoice)
            name = "async_payment_succeeded" if is_paid else "async_payment_failed"
            emit(state, f"checkout.session.{name}", session)


def expire(state: State, session: JsonObject) -> JsonObject:
    """No longer payable: its time is over, or the API said so."""
    if session["status"] != "open":
        raise InvalidRequest(f"Only an open Checkout Session can be expired. This one is {session['status']}.")
    session |= {"status": "expired", "url": None}
    emit(state, "checkout.session.expired", session)
    return session


def _payment_status(invoice: JsonObject) -> str:
    if invoice["status"] != "paid":
        return "unpaid"
    return "paid" if invoice["total"] > 0 else "no_payment_required"


def _customer_of(state: State, session: JsonObject, visitor: Visitor) -> JsonObject:
    email = session["customer_email"] or visitor.email
    address = {"city": None, "country": visitor.card_country, "line1": None, "line2": None}
    address |= {"postal_code": None, "state": None}
    if session["customer"]:
        customer = state.get("customer", session["customer"])
        with changing(state, customer, "customer.updated"):
            customer |= {
                part: value
                for part, value in (("address", address), ("name", visitor.name))
                if session["_customer_update"].get(part) == "auto"
            }
    else:
        customer = make_customer(state, email=email, name=visitor.name, address=address)
        session["customer"] = customer["id"]
    session["customer_details"] = {
        "address": address,
        "business_name": None,
        "email": customer["email"],
        "individual_name": None,
        "name": visitor.name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    return customer


def _subscription_of(state: State, session: JsonObject, customer: JsonObject) -> JsonObject:
    """The one this session began at its first attempt; begun now if this is it."""
    begun = state.objects["subscription"].get(session["subscription"] or "")
    if begun is not None and begun["ended_at"] is None:
        return begun
    data = session["_subscription_data"]
    line = session["line_items"]["data"][0]
    subscription = subscriptions.begin(
        state,
        customer,
        state.get("price", line["price"]),
        session["currency"],
        quantity=line["quantity"],
        metadata=data["metadata"],
        trial_days=data["trial_period_days"],
    )
    session |= {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    return subscription
