"""`/v1/payment_intents`, `/v1/charges`, `/v1/refunds`, `/v1/disputes`: read, and give back."""

from __future__ import annotations

from jiki_payments.standin.billing import payments
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@endpoint("GET", "/payment_intents")
def list_payment_intents(call: Call) -> JsonObject:
    return call.listed("payment_intent", customer=call.params.text("customer"))


@endpoint("GET", "/payment_intents/<intent>")
def retrieve_payment_intent(call: Call, intent: str) -> JsonObject:
    call.params.accept("client_secret")
    call.params.finish()
    return call.state.get("payment_intent", intent)


@endpoint("GET", "/charges")
def list_charges(call: Call) -> JsonObject:
    params = call.params
    return call.listed("charge", customer=params.text("customer"), payment_intent=params.text("payment_intent"))


@endpoint("GET", "/charges/<charge>")
def retrieve_charge(call: Call, charge: str) -> JsonObject:
    call.params.finish()
    return call.state.get("charge", charge)


@endpoint("POST", "/refunds")
def create_refund(call: Call) -> JsonObject:
    params = call.params
    charge, intent = (
        call.get_optional("charge", "charge"),
        call.get_optional("payment_intent", "payment_intent"),
    )
    amount, reason = params.integer("amount"), params.text("reason", choices=REASONS)
    metadata = params.metadata()
    params.finish()
    if charge is None:
        if intent is None or intent["latest_charge"] is None:
            raise InvalidRequest(
                "One of the following params should be provided for this request: payment_intent or charge."
            )
        charge = call.state.get("charge", intent["latest_charge"])
    return payments.refund(call.state, charge, amount, reason, metadata)


@endpoint("GET", "/refunds")
def list_refunds(call: Call) -> JsonObject:
    params = call.params
    return call.listed("refund", charge=params.text("charge"), payment_intent=params.text("payment_intent"))


@endpoint("GET", "/refunds/<refund>")
def retrieve_refund(call: Call, refund: str) -> JsonObject:
    call.params.finish()
    return call.state.get("refund", refund)


@endpoint("GET", "/disputes")
def list_disputes(call: Call) -> JsonObject:
    params = call.params
    return call.listed("dispute", charge=params.text("charge"), payment_intent=params.text("payment_intent"))


@endpoint("GET", "/disputes/<dispute>")
def retrieve_dispute(call: Call, dispute: str) -> JsonObject:
    call.params.finish()
    return call.state.get("dispute", dispute)
