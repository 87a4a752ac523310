"""Events: what happened, as an object of its own that can be listed, and is handed on to be delivered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jiki_payments.standin.presentation import present
from jiki_payments.standin.state import API_VERSION, JsonObject, State


def emit(state: State, name: str, thing: JsonObject, previous: JsonObject | None = None) -> JsonObject:
    """Record that `name` happened to `thing`, as it is now; `previous` are the members that were
    otherwise.
    """
    data: JsonObject = {"object": present(state, thing)}
    if previous is not None:
        data["previous_attributes"] = previous
    customer = thing["id"] if thing["object"] == "customer" else thing.get("customer")
    listening = [one for one in state.all("webhook_endpoint", status="enabled") if wants(one, name)]
    event = state.add(
        {
            "id": state.new_id("evt"),
            "object": "event",
            "account": None,
            "api_version": API_VERSION,
            "context": None,
            "created": state.now(customer),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(listening),
            "request": {"id": state.request_id, "idempotency_key": state.idempotency_key},
            "type": name,
        }
    )
    state.on_event(event)
    return event


def wants(endpoint: JsonObject, name: str) -> bool:
    """Whether a webhook endpoint subscribed to events of this type."""
    return "*" in endpoint["enabled_events"] or name in endpoint["enabled_events"]


@contextmanager
def changing(state: State, thing: JsonObject, name: str) -> Iterator[JsonObject]:
    """Emit `name` after the block with what it changed in `thing`; nothing when it changed nothing."""
    before = present(state, thing)
    yield thing
    previous = _former(before, present(state, thing))
    if previous:
        emit(state, name, thing, previous)


def _former(before: JsonObject, after: JsonObject) -> JsonObject:
    """The members of `before` that differ, in nested objects only those; a list object is given whole."""
    former: JsonObject = {}
    for key in before.keys() | after.keys():
        old: Any = before.get(key)
        new: Any = after.get(key)
        if old == new:
            continue
        is_plain = isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list"
        former[key] = _former(old, new) if is_plain else old
    return former
