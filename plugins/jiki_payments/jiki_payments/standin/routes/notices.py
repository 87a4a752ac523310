"""`/v1/events` and `/v1/webhook_endpoints`: what happened, and who is told."""

from __future__ import annotations

from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.presentation import page_of
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import API_VERSION, JsonObject, State


@endpoint("GET", "/events")
def list_events(call: Call) -> JsonObject:
    params = call.params
    name, names = params.text("type"), params.texts("types")
    is_delivered = params.flag("delivery_success")
    found = [
        one
        for one in call.state.all("event")
        if (name is None or _matches(one["type"], name))
        and (not names or one["type"] in names)
        and (is_delivered is None or (one["pending_webhooks"] == 0) is is_delivered)
    ]
    page = page_of(found, params, call.url)
    params.finish()
    return page


@endpoint("GET", "/events/<event>")
def retrieve_event(call: Call, event: str) -> JsonObject:
    call.params.finish()
    return call.state.get("event", event)


@endpoint("POST", "/webhook_endpoints")
def create_endpoint(call: Call) -> JsonObject:
    params = call.params
    url, names = params.required("url"), params.texts("enabled_events")
    version = params.text("api_version") or API_VERSION
    description, metadata = params.text("description"), params.metadata()
    params.finish()
    if not names:
        raise InvalidRequest("Missing required param: enabled_events.", param="enabled_events")
    if version != API_VERSION:
        raise InvalidRequest(f"The stand-in speaks {API_VERSION} only.", param="api_version")
    secret = call.state.new_id("whsec")
    endpoint_ = make_endpoint(call.state, url, secret, names, description, metadata)
    return {**endpoint_, "secret": secret}


@endpoint("GET", "/webhook_endpoints")
def list_endpoints(call: Call) -> JsonObject:
    return call.listed("webhook_endpoint")


@endpoint("GET", "/webhook_endpoints/<identifier>")
def retrieve_endpoint(call: Call, identifier: str) -> JsonObject:
    call.params.finish()
    return call.state.get("webhook_endpoint", identifier)


@endpoint("POST", "/webhook_endpoints/<identifier>")
def update_endpoint(call: Call, identifier: str) -> JsonObject:
    params = call.params
    stored = call.state.get("webhook_endpoint", identifier)
    is_disabled = params.flag("disabled")
    members: JsonObject = {name: params.text(name) for name in ("url", "description") if params.given(name)}
    if names := params.texts("enabled_events"):
        members["enabled_events"] = names
    members["metadata"] = params.metadata(stored["metadata"])
    params.finish()
    if is_disabled is not None:
        members["status"] = "disabled" if is_disabled else "enabled"
    stored |= members
    return stored


@endpoint("DELETE", "/webhook_endpoints/<identifier>")
def delete_endpoint(call: Call, identifier: str) -> JsonObject:
    call.state.get("webhook_endpoint", identifier)
    call.params.finish()
    del call.state.objects["webhook_endpoint"][identifier]
    return {"id": identifier, "object": "webhook_endpoint", "deleted": True}


def make_endpoint(
    state: State,
    url: str,
    secret: str,
    enabled_events: list[str],
    description: str | None = None,
    metadata: dict[str, str] | None = None,
) -> JsonObject:
    """Somebody to tell; the secret is shown at creation and never again."""
    return state.add(
        {
            "id": state.new_id("we"),
            "object": "webhook_endpoint",
            "api_version": API_VERSION,
            "application": None,
            "created": state.now(),
            "description": description,
            "enabled_events": enabled_events,
            "livemode": False,
            "metadata": metadata or {},
            "status": "enabled",
            "url": url,
            "_secret": secret,
        }
    )


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
