"""`/v1/invoices` and `/v1/invoice_payments`."""

from __future__ import annotations

from jiki_payments.standin.billing import invoices, subscriptions
from jiki_payments.standin.cards import Answer
from jiki_payments.standin.errors import CardDeclined, InvalidRequest
from jiki_payments.standin.presentation import page_of, present
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject

STATUSES = ("draft", "open", "paid", "uncollectible", "void")


@endpoint("GET", "/invoices")
def list_invoices(call: Call) -> JsonObject:
    params = call.params
    subscription = params.text("subscription")
    customer, status = params.text("customer"), params.text("status", choices=STATUSES)
    found = [
        one
        for one in call.state.all("invoice")
        if (customer is None or one["customer"] == customer)
        and (status is None or one["status"] == status)
        and (subscription is None or _subscription_id(one) == subscription)
    ]
    page = page_of(found, params, call.url)
    params.finish()
    return page


@endpoint("GET", "/invoices/<invoice>")
def retrieve_invoice(call: Call, invoice: str) -> JsonObject:
    call.params.finish()
    return call.state.get("invoice", invoice)


@endpoint("POST", "/invoices/<invoice>/pay")
def pay_invoice(call: Call, invoice: str) -> JsonObject:
    stored = call.state.get("invoice", invoice)
    method = call.get_optional("payment_method", "payment_method")
    call.params.accept("off_session")
    call.params.finish()
    if stored["status"] != "open":
        raise InvalidRequest(f"Invoice is {stored['status']}: only an open one can be paid.")
    subscription = call.state.get("subscription", _subscription_id(stored))
    method = method or subscriptions.payment_method_of(call.state, subscription)
    answer = invoices.collect(call.state, stored, method)
    subscriptions.follow_payment(call.state, subscription, stored, answer)
    if answer is Answer.DECLINE:
        intent = invoices.intent_of(call.state, stored)
        raise CardDeclined(intent["last_payment_error"], present(call.state, intent))
    return stored


@endpoint("POST", "/invoices/<invoice>/void")
def void_invoice(call: Call, invoice: str) -> JsonObject:
    stored = call.state.get("invoice", invoice)
    call.params.finish()
    if stored["status"] != "open":
        raise InvalidRequest(f"Invoice is {stored['status']}: only an open one can be voided.")
    invoices.void(call.state, stored)
    return stored


@endpoint("GET", "/invoice_payments")
def list_invoice_payments(call: Call) -> JsonObject:
    params = call.params
    invoice, status = params.text("invoice"), params.text("status", choices=("open", "paid", "canceled"))
    payment = params.child("payment")
    payment.text("type", choices=("payment_intent",))
    intent = payment.text("payment_intent")
    found = [
        one
        for one in call.state.all("invoice_payment")
        if (invoice is None or one["invoice"] == invoice)
        and (status is None or one["status"] == status)
        and (intent is None or one["payment"]["payment_intent"] == intent)
    ]
    page = page_of(found, params, call.url)
    params.finish()
    return page


@endpoint("GET", "/invoice_payments/<payment>")
def retrieve_invoice_payment(call: Call, payment: str) -> JsonObject:
    call.params.finish()
    return call.state.get("invoice_payment", payment)


def _subscription_id(invoice: JsonObject) -> str:
    identifier: str = invoice["parent"]["subscription_details"]["subscription"]
    return identifier
