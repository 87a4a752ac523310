"""`/v1/customers` and `/v1/payment_methods`."""

from __future__ import annotations

from typing import Any

from jiki_payments.standin.billing import subscriptions
from jiki_payments.standin.cards import Card, card_of_token, is_test_card, make_payment_method
from jiki_payments.standin.customers import make_customer
from jiki_payments.standin.errors import InvalidRequest, ResourceMissing
from jiki_payments.standin.events import changing, emit
from jiki_payments.standin.form import Params
from jiki_payments.standin.presentation import page_of
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject, State

_PLAIN = ("description", "email", "name", "phone")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


@endpoint("POST", "/customers")
def create_customer(call: Call) -> JsonObject:
    clock = call.get_optional("test_helpers.test_clock", "test_clock")
    token = call.params.text("payment_method")
    members = _members(call.params, {})
    default = call.params.child("invoice_settings").text("default_payment_method")
    call.params.finish()
    customer = make_customer(call.state, test_clock=clock["id"] if clock else None, **members)
    if token:
        method = attach(call.state, token, customer)
        customer["invoice_settings"]["default_payment_method"] = method["id"] if default else None
    return customer


@endpoint("GET", "/customers")
def list_customers(call: Call) -> JsonObject:
    email, clock = call.params.text("email"), call.params.text("test_clock")
    wanted = [
        one
        for one in call.state.all("customer")
        if "deleted" not in one
        and (email is None or one["email"] == email)
        and (clock is None or one["test_clock"] == clock)
    ]
    page = page_of(wanted, call.params, call.url)
    call.params.finish()
    return page


@endpoint("GET", "/customers/<customer>")
def retrieve_customer(call: Call, customer: str) -> JsonObject:
    call.params.finish()
    return call.state.get("customer", customer)


@endpoint("POST", "/customers/<customer>")
def update_customer(call: Call, customer: str) -> JsonObject:
    stored = _living(call.state, customer)
    members = _members(call.params, stored)
    settings = call.params.child("invoice_settings")
    default = settings.text("default_payment_method")
    has_default = settings.given("default_payment_method")
    call.params.finish()
    if default:
        method = call.state.get("payment_method", default, "invoice_settings[default_payment_method]")
        if method["customer"] != customer:
            raise InvalidRequest(
                f"The payment method {default} is not attached to the customer.",
                param="invoice_settings[default_payment_method]",
            )
    with changing(call.state, stored, "customer.updated"):
        stored |= members
        if has_default:
            stored["invoice_settings"]["default_payment_method"] = default
    return stored


@endpoint("DELETE", "/customers/<customer>")
def delete_customer(call: Call, customer: str) -> JsonObject:
    stored = _living(call.state, customer)
    call.params.finish()
    for subscription in call.state.all("subscription", customer=customer, ended_at=None):
        subscriptions.end(call.state, subscription, "cancellation_requested")
    emit(call.state, "customer.deleted", stored)
    return call.state.add({"id": customer, "object": "customer", "deleted": True})


@endpoint("GET", "/customers/<customer>/payment_methods")
def list_payment_methods_of_customer(call: Call, customer: str) -> JsonObject:
    _living(call.state, customer)
    return call.listed("payment_method", customer=customer, type=call.params.text("type"))


@endpoint("GET", "/payment_methods")
def list_payment_methods(call: Call) -> JsonObject:
    return call.listed("payment_method", customer=call.params.text("customer"), type=call.params.text("type"))


@endpoint("POST", "/payment_methods")
def create_payment_method(call: Call) -> JsonObject:
    call.params.required("type", choices=("card",))
    token = call.params.child("card").required("token")
    call.params.finish()
    card = card_of_token(token.replace("tok_", "pm_card_", 1))
    return make_payment_method(call.state, card)


@endpoint("GET", "/payment_methods/<method>")
def retrieve_payment_method(call: Call, method: str) -> JsonObject:
    call.params.finish()
    return call.state.get("payment_method", method)


@endpoint("POST", "/payment_methods/<method>/attach")
def attach_payment_method(call: Call, method: str) -> JsonObject:
    customer = _living(call.state, call.params.required("customer"))
    call.params.finish()
    return attach(call.state, method, customer)


@endpoint("POST", "/payment_methods/<method>/detach")
def detach_payment_method(call: Call, method: str) -> JsonObject:
    stored = call.state.get("payment_method", method)
    call.params.finish()
    owner = call.state.objects["customer"].get(stored["customer"] or "")
    if owner is None:
        raise InvalidRequest("The payment method is not attached to a customer, so it cannot be detached.")
    stored["customer"] = None
    if owner["invoice_settings"]["default_payment_method"] == method:
        owner["invoice_settings"]["default_payment_method"] = None
    emit(call.state, "payment_method.detached", stored)
    return stored


def attach(state: State, token: str, customer: JsonObject) -> JsonObject:
    """Give a customer a payment method; a test card's name makes a new one of it."""
    if is_test_card(token):
        card: Card = card_of_token(token)
        method = make_payment_method(state, card, customer=customer["id"], email=customer["email"])
    else:
        method = state.get("payment_method", token, "payment_method")
        method["customer"] = customer["id"]
    emit(state, "payment_method.attached", method)
    return method


def _living(state: State, customer: str) -> JsonObject:
    stored = state.get("customer", customer)
    if stored.get("deleted"):
        raise ResourceMissing("customer", customer)
    return stored


def _members(params: Params, stored: JsonObject) -> dict[str, Any]:
    members: dict[str, Any] = {name: params.text(name) for name in _PLAIN if params.given(name)}
    if params.given("address"):
        address = params.child("address")
        members["address"] = {part: address.text(part) for part in _ADDRESS}
    if params.given("preferred_locales"):
        members["preferred_locales"] = params.texts("preferred_locales")
    members["metadata"] = params.metadata(stored.get("metadata"))
    return members
