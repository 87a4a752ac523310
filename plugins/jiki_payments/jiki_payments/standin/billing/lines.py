"""Lines of an invoice: what a period costs, and the prorations of a change within one. Pure but for new
ids.
"""

from __future__ import annotations

from jiki_payments.standin.billing.periods import unused_share
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.state import JsonObject, State


def unit_amount(price: JsonObject, currency: str) -> int:
    """What the price costs in this currency; refuses one it is not offered in."""
    option = price["currency_options"].get(currency)
    if option is None:
        raise InvalidRequest(
            f"The price specified only supports {', '.join(sorted(price['currency_options']))}. "
            f"This doesn't match the expected currency: {currency}.",
            param="currency",
        )
    amount: int = option["unit_amount"]
    return amount


def price_of(state: State, item: JsonObject) -> JsonObject:
    """The price of a subscription item or of a checkout's line."""
    return state.get("price", item["price"])


def period_line(state: State, subscription: JsonObject, item: JsonObject, *, is_trial: bool = False) -> JsonObject:
    """The item's present period at its present price; free during a trial."""
    price = price_of(state, item)
    amount = 0 if is_trial else unit_amount(price, subscription["currency"]) * item["quantity"]
    description = "Trial period" if is_trial else f"{item['quantity']} x {_described(price)}"
    return _line(
        state,
        subscription,
        item,
        amount,
        description,
        item["current_period_start"],
        item["current_period_end"],
    )


def proration_lines(
    state: State, subscription: JsonObject, item: JsonObject, changed: JsonObject, now: int
) -> list[JsonObject]:
    """Credit for the unused rest of the item's period and, when `changed` keeps the interval, the charge
    for it.
    """
    start, end = item["current_period_start"], item["current_period_end"]
    currency = subscription["currency"]
    old_price, new_price = price_of(state, item), price_of(state, changed)
    credit = -unused_share(unit_amount(old_price, currency) * item["quantity"], start, end, now)
    unused = f"Unused time on {_described(old_price)}"
    lines = [_line(state, subscription, item, credit, unused, now, end, is_proration=True)]
    if new_price["recurring"] == old_price["recurring"]:
        charge = unused_share(unit_amount(new_price, currency) * changed["quantity"], start, end, now)
        remaining = f"Remaining time on {_described(new_price)}"
        lines.append(_line(state, subscription, changed, charge, remaining, now, end, is_proration=True))
    return lines


def _described(price: JsonObject) -> str:
    recurring = price["recurring"]
    return price["nickname"] or f"{price['id']} (each {recurring['interval_count']} {recurring['interval']})"


def _line(
    state: State,
    subscription: JsonObject,
    item: JsonObject,
    amount: int,
    description: str,
    start: int,
    end: int,
    *,
    is_proration: bool = False,
) -> JsonObject:
    price = price_of(state, item)
    return {
        "id": state.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": subscription["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": not is_proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": is_proration,
                "proration_details": None,
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"start": start, "end": end},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "subtotal": amount,
        "taxes": [],
    }
