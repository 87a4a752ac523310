"""`/v1/subscriptions`: begun without Checkout, changed, cancelled, listed."""

from __future__ import annotations

from typing import Any

from jiki_payments.standin.billing import subscriptions
from jiki_payments.standin.billing.lines import unit_amount
from jiki_payments.standin.cards import Answer, bank_answer, payment_error
from jiki_payments.standin.errors import CardDeclined, InvalidRequest, ResourceMissing
from jiki_payments.standin.events import changing
from jiki_payments.standin.form import Params
from jiki_payments.standin.presentation import page_of
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject, State

BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete")
PRORATIONS = ("create_prorations", "always_invoice", "none")
FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)


@endpoint("POST", "/subscriptions")
def create_subscription(call: Call) -> JsonObject:
    params, state = call.params, call.state
    customer = call.get("customer", "customer")
    items = params.children("items")
    if len(items) != 1:
        raise InvalidRequest("The stand-in models subscriptions with exactly one item.", param="items")
    price = state.get("price", items[0].required("price"), items[0].name("price"))
    quantity = items[0].integer("quantity") or 1
    currency = (params.text("currency") or customer["currency"] or price["currency"]).lower()
    behavior = params.text("payment_behavior", choices=BEHAVIORS) or "allow_incomplete"
    method = params.text("default_payment_method")
    trial_days = params.integer("trial_period_days") or 0
    metadata = params.metadata()
    params.accept("off_session", "payment_settings", "proration_behavior")
    params.finish()
    chosen = _attached(state, method, customer) if method else None
    verdict = None
    if behavior == "error_if_incomplete" and not trial_days and unit_amount(price, currency):
        default = method or customer["invoice_settings"]["default_payment_method"]
        card = state.objects["payment_method"].get(default or "")
        verdict = bank_answer(state, card, customer["id"])
        if verdict[0] is not Answer.SUCCEED:
            raise CardDeclined(payment_error(verdict[1] or "authentication_required", card, None))
    subscription = subscriptions.begin(
        state,
        customer,
        price,
        currency,
        quantity=quantity,
        metadata=metadata,
        trial_days=trial_days,
        payment_method=chosen,
    )
    if subscription["status"] == "incomplete" and behavior != "default_incomplete":
        subscriptions.collect_latest(state, subscription, verdict=verdict)
    return subscription


@endpoint("GET", "/subscriptions")
def list_subscriptions(call: Call) -> JsonObject:
    """Without `status`, those that have not been canceled, as Stripe does."""
    params = call.params
    customer, price, status = params.text("customer"), params.text("price"), params.text("status")
    found = [
        one
        for one in call.state.all("subscription")
        if (customer is None or one["customer"] == customer)
        and (price is None or subscriptions.item_of(one)["price"] == price)
        and _has_status(one, status)
    ]
    page = page_of(found, params, call.url)
    params.finish()
    return page


@endpoint("GET", "/subscriptions/<subscription>")
def retrieve_subscription(call: Call, subscription: str) -> JsonObject:
    call.params.finish()
    return call.state.get("subscription", subscription)


@endpoint("POST", "/subscriptions/<subscription>")
def update_subscription(call: Call, subscription: str) -> JsonObject:
    params, state = call.params, call.state
    stored = _living(state, subscription)
    change = _change_of_item(call, stored)
    proration = params.text("proration_behavior", choices=PRORATIONS) or "create_prorations"
    behavior = params.text("payment_behavior", choices=BEHAVIORS) or "allow_incomplete"
    members = _members(call, stored)
    details = _cancellation_details(params)
    params.accept("off_session", "payment_settings")
    params.finish()
    if stored["status"] == "incomplete" and (change or members.keys() - {"metadata", "default_payment_method"}):
        raise InvalidRequest("Of an `incomplete` subscription only metadata and default_payment_method can be updated.")
    if change:
        subscriptions.change_price(state, stored, *change, proration, behavior)
    with changing(state, stored, "customer.subscription.updated"):
        stored |= members
        stored["cancellation_details"] |= details
        if "cancel_at_period_end" in members or "cancel_at" in members:
            is_ending = stored["cancel_at_period_end"] or stored["cancel_at"] is not None
            stored["canceled_at"] = state.now(stored["customer"]) if is_ending else None
            stored["cancellation_details"]["reason"] = "cancellation_requested" if is_ending else None
    return stored


@endpoint("DELETE", "/subscriptions/<subscription>")
def cancel_subscription(call: Call, subscription: str) -> JsonObject:
    stored = _living(call.state, subscription)
    details = _cancellation_details(call.params)
    call.params.accept("invoice_now", "prorate")
    call.params.finish()
    stored["cancellation_details"] |= details
    subscriptions.end(call.state, stored, "cancellation_requested")
    return stored


def _living(state: State, subscription: str) -> JsonObject:
    """To change an ended subscription is to Stripe as if it did not exist."""
    stored = state.get("subscription", subscription)
    if stored["ended_at"] is not None:
        raise ResourceMissing("subscription", subscription)
    return stored


def _has_status(subscription: JsonObject, status: str | None) -> bool:
    if status == "all":
        return True
    if status == "ended":
        return subscription["status"] in ("canceled", "incomplete_expired")
    return bool(subscription["status"] == status if status else subscription["status"] != "canceled")


def _attached(state: State, method: str, customer: JsonObject) -> str:
    if state.get("payment_method", method, "default_payment_method")["customer"] != customer["id"]:
        raise InvalidRequest(
            f"The customer does not have a payment method with the ID {method}.",
            param="default_payment_method",
        )
    return method


def _change_of_item(call: Call, stored: JsonObject) -> tuple[JsonObject, int] | None:
    """The price and quantity its item is to have; None when nothing about it is to change."""
    items = call.params.children("items")
    if not items:
        return None
    item = subscriptions.item_of(stored)
    if len(items) != 1 or items[0].text("id") != item["id"]:
        raise InvalidRequest(
            "The stand-in models subscriptions with one item: name it by its id to change it.", param="items"
        )
    price = call.state.get("price", items[0].text("price") or item["price"], items[0].name("price"))
    quantity = items[0].integer("quantity") or item["quantity"]
    return None if (price["id"], quantity) == (item["price"], item["quantity"]) else (price, quantity)


def _members(call: Call, stored: JsonObject) -> dict[str, Any]:
    params = call.params
    members: dict[str, Any] = {}
    if params.given("metadata"):
        members["metadata"] = params.metadata(stored["metadata"])
    if (method := params.text("default_payment_method")) is not None:
        customer = call.state.get("customer", stored["customer"])
        members["default_payment_method"] = _attached(call.state, method, customer)
    if params.given("cancel_at_period_end"):
        members["cancel_at_period_end"] = params.flag("cancel_at_period_end") is True
        members["cancel_at"] = None
        if members["cancel_at_period_end"]:
            members["cancel_at"] = subscriptions.item_of(stored)["current_period_end"]
    if params.given("cancel_at"):
        if params.flag("cancel_at_period_end"):
            raise InvalidRequest("You may only specify one of these parameters: cancel_at, cancel_at_period_end.")
        members["cancel_at"] = params.integer("cancel_at")
        members["cancel_at_period_end"] = False
    return members


def _cancellation_details(params: Params) -> dict[str, str | None]:
    details = params.child("cancellation_details")
    return {
        key: value
        for key, value in (
            ("comment", details.text("comment")),
            ("feedback", details.text("feedback", choices=FEEDBACK)),
        )
        if value is not None
    }
