"""`/v1/products` and `/v1/prices`: what is sold, and for how much in which currency."""

from __future__ import annotations

from typing import Any

from jiki_payments.currencies import STRIPE_CURRENCIES, WHOLE_MAJOR_UNITS
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.events import changing, emit
from jiki_payments.standin.form import Params
from jiki_payments.standin.presentation import page_of
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject, State

INTERVALS = ("day", "week", "month", "year")


@endpoint("POST", "/products")
def create_product(call: Call) -> JsonObject:
    params = call.params
    name = params.required("name")
    identifier = params.text("id") or call.state.new_id("prod")
    description, active = params.text("description"), params.flag("active")
    metadata = params.metadata()
    default = params.child("default_price_data")
    price = _new_price(default) if params.given("default_price_data") else None
    params.finish()
    product = _make_product(call.state, identifier, name, description, active is not False, metadata)
    if price is not None:
        product["default_price"] = _add_price(call.state, price, identifier)["id"]
    return product


@endpoint("GET", "/products")
def list_products(call: Call) -> JsonObject:
    return call.listed("product", active=call.params.flag("active"))


@endpoint("GET", "/products/<product>")
def retrieve_product(call: Call, product: str) -> JsonObject:
    call.params.finish()
    return call.state.get("product", product)


@endpoint("POST", "/products/<product>")
def update_product(call: Call, product: str) -> JsonObject:
    stored = call.state.get("product", product)
    members: dict[str, Any] = {
        name: call.params.text(name) for name in ("name", "description", "default_price") if call.params.given(name)
    }
    if call.params.given("active"):
        members["active"] = call.params.flag("active")
    members["metadata"] = call.params.metadata(stored["metadata"])
    call.params.finish()
    with changing(call.state, stored, "product.updated"):
        stored |= {**members, "updated": call.state.now()}
    return stored


@endpoint("POST", "/prices")
def create_price(call: Call) -> JsonObject:
    params = call.params
    product = call.get_optional("product", "product")
    inline = params.child("product_data")
    inline_name = inline.required("name") if product is None else None
    inline_metadata = inline.metadata()
    price = _new_price(params)
    transfers = params.flag("transfer_lookup_key") is True
    params.finish()
    _free_lookup_key(call.state, price["lookup_key"], None, transfers)
    if product is None:
        assert inline_name is not None
        product = _make_product(call.state, call.state.new_id("prod"), inline_name, None, True, inline_metadata)
    return _add_price(call.state, price, product["id"])


@endpoint("GET", "/prices")
def list_prices(call: Call) -> JsonObject:
    wanted = {"product": call.params.text("product"), "active": call.params.flag("active")}
    wanted |= {"type": call.params.text("type"), "currency": call.params.text("currency")}
    keys = call.params.texts("lookup_keys")
    found = call.state.all("price", **{name: value for name, value in wanted.items() if value is not None})
    page = page_of([one for one in found if not keys or one["lookup_key"] in keys], call.params, call.url)
    call.params.finish()
    return page


@endpoint("GET", "/prices/<price>")
def retrieve_price(call: Call, price: str) -> JsonObject:
    call.params.finish()
    return call.state.get("price", price)


@endpoint("POST", "/prices/<price>")
def update_price(call: Call, price: str) -> JsonObject:
    params = call.params
    stored = call.state.get("price", price)
    members: dict[str, Any] = {
        name: params.text(name) for name in ("nickname", "lookup_key", "tax_behavior") if params.given(name)
    }
    if params.given("active"):
        members["active"] = params.flag("active")
    members["metadata"] = params.metadata(stored["metadata"])
    members["currency_options"] = stored["currency_options"] | _currency_options(params)
    transfers = params.flag("transfer_lookup_key") is True
    params.finish()
    _free_lookup_key(call.state, members.get("lookup_key"), price, transfers)
    with changing(call.state, stored, "price.updated"):
        stored |= members
    return stored


def _new_price(params: Params) -> JsonObject:
    currency = _checked_currency(params.required("currency").lower(), params.name("currency"))
    amount = _checked_amount(currency, params.integer("unit_amount"), params.name("unit_amount"))
    recurring = params.child("recurring")
    interval = recurring.text("interval", choices=INTERVALS)
    count = recurring.integer("interval_count") or 1
    recurring.text("usage_type", choices=("licensed",))
    return {
        "object": "price",
        "active": params.flag("active") is not False,
        "billing_scheme": "per_unit",
        "currency": currency,
        "currency_options": {currency: _option(amount), **_currency_options(params)},
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.text("lookup_key"),
        "metadata": params.metadata(),
        "nickname": params.text("nickname"),
        "recurring": {
            "interval": interval,
            "interval_count": count,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
        if interval
        else None,
        "tax_behavior": params.text("tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if interval else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def _currency_options(params: Params) -> dict[str, JsonObject]:
    options = params.child("currency_options")
    found = {}
    for code in list(options.keys()):
        _checked_currency(code, options.name(code))
        option = options.child(code)
        amount = _checked_amount(code, option.integer("unit_amount"), option.name("unit_amount"))
        option.accept("tax_behavior")
        found[code] = _option(amount)
    return found


def _option(amount: int) -> JsonObject:
    return {
        "custom_unit_amount": None,
        "tax_behavior": "unspecified",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def _checked_currency(code: str, param: str) -> str:
    if code not in STRIPE_CURRENCIES:
        raise InvalidRequest(f"Invalid currency: {code}. Stripe does not charge in it.", param=param)
    return code


def _checked_amount(currency: str, amount: int | None, param: str) -> int:
    if amount is None:
        raise InvalidRequest(f"Missing required param: {param}.", param=param, code="parameter_missing")
    if amount < 0:
        raise InvalidRequest("Invalid non-negative integer", param=param, code="parameter_invalid_integer")
    if currency in WHOLE_MAJOR_UNITS and amount % 100:
        raise InvalidRequest(
            f"Invalid amount. Currency {currency.upper()} has become effectively zero-decimal and charged "
            "amounts must be evenly divisible by 100.",
            param=param,
            code="invalid_charge_amount_no_decimal_compatible",
        )
    return amount


def _free_lookup_key(state: State, key: str | None, taker: str | None, transfers: bool) -> None:
    for holder in state.all("price", lookup_key=key) if key else []:
        if holder["id"] == taker:
            continue
        if not transfers:
            raise InvalidRequest(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        holder["lookup_key"] = None


def _add_price(state: State, price: JsonObject, product: str) -> JsonObject:
    added = state.add({"id": state.new_id("price"), "created": state.now(), "product": product, **price})
    emit(state, "price.created", added)
    return added


def _make_product(
    state: State, identifier: str, name: str, description: str | None, active: bool, metadata: dict[str, str]
) -> JsonObject:
    now = state.now()
    product = state.add(
        {
            "id": identifier,
            "object": "product",
            "active": active,
            "created": now,
            "default_price": None,
            "description": description,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "metadata": metadata,
            "name": name,
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": now,
            "url": None,
        }
    )
    emit(state, "product.created", product)
    return product
