"""`/v1/checkout/sessions`, for subscriptions, in the three user interface modes of dahlia."""

from __future__ import annotations

import re
from typing import Any

from jiki_payments.standin.billing import checkout
from jiki_payments.standin.billing.lines import price_of, unit_amount
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.form import Params
from jiki_payments.standin.presentation import list_of
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject, State

UI_MODES = ("elements", "embedded_page", "hosted_page")
SESSION_SECONDS = 24 * 3600


@endpoint("POST", "/checkout/sessions")
def create_session(call: Call) -> JsonObject:
    params, state = call.params, call.state
    params.required("mode", choices=("subscription",))
    ui_mode = params.text("ui_mode", choices=UI_MODES) or "hosted_page"
    return_url, success_url, cancel_url = _urls(params, ui_mode)
    customer = call.get_optional("customer", "customer")
    customer_email = params.text("customer_email")
    update = params.child("customer_update")
    updates = {part: update.text(part, choices=("auto", "never")) for part in ("address", "name", "shipping")}
    price, quantity = _line(call)
    currency = (params.text("currency") or price["currency"]).lower()
    data = params.child("subscription_data")
    subscription_data = {
        "metadata": data.metadata(),
        "trial_period_days": data.integer("trial_period_days") or 0,
    }
    expires_at = params.integer("expires_at")
    metadata = params.metadata()
    reference, locale = params.text("client_reference_id"), params.text("locale")
    collection = params.text("payment_method_collection", choices=("always", "if_required"))
    params.accept("payment_method_types", "billing_address_collection", "automatic_tax", "adaptive_pricing")
    params.accept("allow_promotion_codes", "tax_id_collection", "phone_number_collection")
    params.finish()
    if customer and customer_email:
        raise InvalidRequest("You may only specify one of these parameters: customer, customer_email.")
    if any(updates.values()) and customer is None:
        raise InvalidRequest("`customer_update` can only be used with `customer`.", param="customer_update")
    now = state.now(customer["id"] if customer else None)
    if expires_at is not None and not now + 1800 <= expires_at <= now + SESSION_SECONDS:
        raise InvalidRequest(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    amount = 0 if subscription_data["trial_period_days"] else unit_amount(price, currency) * quantity
    session = _new_session(state, ui_mode, currency, amount, now)
    session["line_items"] = _line_items(state, session, price, quantity, amount)
    session |= {
        "cancel_url": cancel_url,
        "client_reference_id": reference,
        "customer": customer["id"] if customer else None,
        "customer_email": customer_email,
        "expires_at": expires_at or now + SESSION_SECONDS,
        "locale": locale,
        "metadata": metadata,
        "payment_method_collection": collection or "always",
        "return_url": return_url,
        "success_url": success_url,
        "_customer_update": updates,
        "_subscription_data": subscription_data,
    }
    return state.add(session)


@endpoint("GET", "/checkout/sessions")
def list_sessions(call: Call) -> JsonObject:
    params = call.params
    return call.listed(
        "checkout.session",
        customer=params.text("customer"),
        subscription=params.text("subscription"),
        status=params.text("status", choices=("open", "complete", "expired")),
    )


@endpoint("GET", "/checkout/sessions/<session>")
def retrieve_session(call: Call, session: str) -> JsonObject:
    call.params.finish()
    return call.state.get("checkout.session", session)


@endpoint("GET", "/checkout/sessions/<session>/line_items")
def list_line_items(call: Call, session: str) -> JsonObject:
    call.params.accept("limit")
    call.params.finish()
    items: JsonObject = call.state.get("checkout.session", session)["line_items"]
    return items


@endpoint("POST", "/checkout/sessions/<session>")
def update_session(call: Call, session: str) -> JsonObject:
    stored = call.state.get("checkout.session", session)
    metadata = call.params.metadata(stored["metadata"])
    call.params.finish()
    stored["metadata"] = metadata
    return stored


@endpoint("POST", "/checkout/sessions/<session>/expire")
def expire_session(call: Call, session: str) -> JsonObject:
    call.params.finish()
    return checkout.expire(call.state, call.state.get("checkout.session", session))


def _urls(params: Params, ui_mode: str) -> tuple[str | None, str | None, str | None]:
    """return_url belongs to the two modes inside a page of ours, success_url and cancel_url to the hosted
    one.
    """
    found = {name: params.text(name) for name in ("return_url", "success_url", "cancel_url")}
    needed = "success_url" if ui_mode == "hosted_page" else "return_url"
    refused = ("return_url",) if ui_mode == "hosted_page" else ("success_url", "cancel_url")
    for name in refused:
        if found[name]:
            raise InvalidRequest(f"`{name}` can't be used with `ui_mode: {ui_mode}`.", param=name)
    if found[needed] is None:
        raise InvalidRequest(f"Missing required param: {needed}.", param=needed, code="parameter_missing")
    for name, url in found.items():
        if url and not re.match(r"https?://[^\s/]", url):
            raise InvalidRequest("Not a valid URL", param=name, code="url_invalid")
    return found["return_url"], found["success_url"], found["cancel_url"]


def _line(call: Call) -> tuple[JsonObject, int]:
    lines = call.params.children("line_items")
    if len(lines) != 1:
        raise InvalidRequest("The stand-in models sessions with exactly one line item.", param="line_items")
    identifier = lines[0].required("price")
    quantity = lines[0].integer("quantity") or 1
    price = call.state.get("price", identifier, lines[0].name("price"))
    if not price["active"]:
        raise InvalidRequest(
            "The price specified is inactive. This field only accepts active prices.",
            param=lines[0].name("price"),
        )
    if price["type"] != "recurring":
        raise InvalidRequest("You must provide at least one recurring price in `subscription` mode.")
    return price, quantity


def _line_items(state: State, session: JsonObject, price: JsonObject, quantity: int, amount: int) -> JsonObject:
    item = {
        "id": state.new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": session["currency"],
        "description": price["nickname"],
        "metadata": {},
        "price": price["id"],
        "quantity": quantity,
    }
    assert price_of(state, item) is price
    return list_of([item], f"/v1/checkout/sessions/{session['id']}/line_items")


def _new_session(state: State, ui_mode: str, currency: str, amount: int, now: int) -> dict[str, Any]:
    identifier = state.new_id("cs_test")
    is_hosted = ui_mode == "hosted_page"
    return {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_address_collection": None,
        "client_secret": None if is_hosted else f"{identifier}_secret_{state.new_id('s')[2:]}",
        "consent": None,
        "consent_collection": None,
        "created": now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {},
        "customer_creation": "always",
        "customer_details": None,
        "discounts": [],
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "mode": "subscription",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "redirect_on_completion": None if is_hosted else "always",
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": ui_mode,
        "url": f"{state.public_url}/_standin/checkout/{identifier}" if is_hosted else None,
        "wallet_options": None,
    }
