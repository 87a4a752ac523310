"""Objects as an answer shows them: expansions replaced by what they refer to, includables left out unless
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.form import Params
from jiki_payments.standin.state import JsonObject, State

#: Members that are only there when expanded.
INCLUDABLE: dict[str, frozenset[str]] = {
    "price": frozenset({"currency_options"}),
    "checkout.session": frozenset({"line_items"}),
}
#: Members kept as an id and always shown as the object.
EMBEDDED = frozenset({("subscription_item", "price"), ("item", "price")})
#: Members that refer to another object by its id.
REFERENCES = frozenset(
    {
        "charge",
        "configuration",
        "customer",
        "default_payment_method",
        "default_price",
        "invoice",
        "latest_charge",
        "latest_invoice",
        "payment_intent",
        "payment_method",
        "price",
        "product",
        "subscription",
        "test_clock",
    }
)
LARGEST_DEPTH = 4

Tree = dict[str, Any]


def list_of(data: Sequence[Any], url: str, *, has_more: bool = False) -> JsonObject:
    return {"object": "list", "url": url, "has_more": has_more, "data": list(data)}


def _invoice_payments(state: State, invoice: JsonObject) -> JsonObject:
    payments = state.all("invoice_payment", invoice=invoice["id"])
    return list_of(payments, f"/v1/invoice_payments?invoice={invoice['id']}")


def _customer_subscriptions(state: State, customer: JsonObject) -> JsonObject:
    live = [one for one in state.all("subscription", customer=customer["id"]) if one["ended_at"] is None]
    return list_of(live, f"/v1/customers/{customer['id']}/subscriptions")


def _charge_refunds(state: State, charge: JsonObject) -> JsonObject:
    refunds = state.all("refund", charge=charge["id"])
    return list_of(refunds[::-1], f"/v1/charges/{charge['id']}/refunds")


#: Includables that are looked up.
COMPUTED: dict[tuple[str, str], Callable[[State, JsonObject], JsonObject]] = {
    ("invoice", "payments"): _invoice_payments,
    ("customer", "subscriptions"): _customer_subscriptions,
    ("charge", "refunds"): _charge_refunds,
}


def present(state: State, thing: Any, expand: Iterable[str] = ()) -> Any:
    """A copy of `thing` (object or list object) fit for the wire; `expand` are dotted paths as the caller
    sent them.
    """
    tree: Tree = {}
    for path in expand:
        node = tree
        for part in path.split("."):
            node = node.setdefault(part, {})
    return _render(state, thing, tree)


def check_depth(expand: Iterable[str]) -> None:
    """Refuse a path that is deeper than Stripe goes, counting every part of it."""
    for path in expand:
        if path.count(".") >= LARGEST_DEPTH:
            raise InvalidRequest(
                f"You cannot expand more than {LARGEST_DEPTH} levels of a property. Property: {path}",
                param="expand",
                code="property_expansion_max_depth",
            )


def _render(state: State, value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_render(state, one, tree) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("object")
    if not isinstance(kind, str):  # no object of Stripe's, or an event's `data`, whose `object` is one
        kind = ""
    hidden = INCLUDABLE.get(kind, frozenset()) - tree.keys()
    shown = {
        key: _expanded(state, key, child, tree.get(key, {}))
        if key in tree or (kind, key) in EMBEDDED
        else _render(state, child, {})
        for key, child in value.items()
        if not key.startswith("_") and key not in hidden
    }
    for key in tree.keys() - shown.keys():
        if (kind, key) not in COMPUTED:
            raise _not_expandable(key)
        shown[key] = _render(state, COMPUTED[kind, key](state, value), tree[key])
    return shown


def _expanded(state: State, key: str, value: Any, tree: Tree) -> Any:
    if isinstance(value, dict | list):
        return _render(state, value, tree)
    if key not in REFERENCES:
        raise _not_expandable(key)
    return None if value is None else _render(state, state.find(value), tree)


def _not_expandable(key: str) -> InvalidRequest:
    return InvalidRequest(f"This property cannot be expanded ({key}).", param="expand")


def page_of(things: Sequence[JsonObject], params: Params, url: str) -> JsonObject:
    """One page of a list, newest first, by Stripe's cursors; reads limit, starting_after, ending_before
    and created.
    """
    limit = params.integer("limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        raise InvalidRequest("Invalid limit: must be between 1 and 100", param="limit")
    is_wanted = _created_within(params)
    newest_first = [one for one in reversed(things) if is_wanted(one)]
    starting_after, ending_before = params.text("starting_after"), params.text("ending_before")
    if starting_after:
        newest_first = newest_first[_position(newest_first, starting_after, "starting_after") + 1 :]
    if ending_before:
        newest_first = newest_first[: _position(newest_first, ending_before, "ending_before")]
        return list_of(newest_first[-limit:], url, has_more=len(newest_first) > limit)
    return list_of(newest_first[:limit], url, has_more=len(newest_first) > limit)


def _position(things: Sequence[JsonObject], identifier: str, param: str) -> int:
    for position, one in enumerate(things):
        if one["id"] == identifier:
            return position
    raise InvalidRequest(f"No such object: '{identifier}'", param=param, code="resource_missing")


def _created_within(params: Params) -> Callable[[JsonObject], bool]:
    if not params.given("created"):
        return lambda thing: True
    limits = params.child("created")
    after, since = limits.integer("gt"), limits.integer("gte")
    before, until = limits.integer("lt"), limits.integer("lte")
    return lambda thing: (
        (after is None or thing["created"] > after)
        and (since is None or thing["created"] >= since)
        and (before is None or thing["created"] < before)
        and (until is None or thing["created"] <= until)
    )
