"""`/v1/billing_portal`: configurations, and sessions that lead to the portal page."""

from __future__ import annotations

from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject


@endpoint("POST", "/billing_portal/configurations")
def create_configuration(call: Call) -> JsonObject:
    params, state = call.params, call.state
    profile, features = params.tree("business_profile"), params.tree("features")
    default_return_url, name = params.text("default_return_url"), params.text("name")
    metadata = params.metadata()
    params.accept("login_page")
    params.finish()
    if not features:
        raise InvalidRequest("Missing required param: features.", param="features", code="parameter_missing")
    now = state.now()
    return state.add(
        {
            "id": state.new_id("bpc"),
            "object": "billing_portal.configuration",
            "active": True,
            "application": None,
            "business_profile": {
                "headline": None,
                "privacy_policy_url": None,
                "terms_of_service_url": None,
                **profile,
            },
            "created": now,
            "default_return_url": default_return_url,
            "features": features,
            "is_default": False,
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": metadata,
            "name": name,
            "updated": now,
        }
    )


@endpoint("GET", "/billing_portal/configurations")
def list_configurations(call: Call) -> JsonObject:
    params = call.params
    return call.listed(
        "billing_portal.configuration", active=params.flag("active"), is_default=params.flag("is_default")
    )


@endpoint("GET", "/billing_portal/configurations/<configuration>")
def retrieve_configuration(call: Call, configuration: str) -> JsonObject:
    call.params.finish()
    return call.state.get("billing_portal.configuration", configuration)


@endpoint("POST", "/billing_portal/configurations/<configuration>")
def update_configuration(call: Call, configuration: str) -> JsonObject:
    params = call.params
    stored = call.state.get("billing_portal.configuration", configuration)
    members: JsonObject = {name: params.text(name) for name in ("default_return_url", "name") if params.given(name)}
    if params.given("active"):
        members["active"] = params.flag("active")
    members["metadata"] = params.metadata(stored["metadata"])
    members["features"] = stored["features"] | params.tree("features")
    members["business_profile"] = stored["business_profile"] | params.tree("business_profile")
    params.finish()
    stored |= {**members, "updated": call.state.now()}
    return stored


@endpoint("POST", "/billing_portal/sessions")
def create_session(call: Call) -> JsonObject:
    params, state = call.params, call.state
    customer = call.get("customer", "customer")
    configuration = call.get_optional("billing_portal.configuration", "configuration")
    return_url, locale = params.text("return_url"), params.text("locale")
    params.finish()
    if configuration is None:
        raise InvalidRequest(
            "No configuration provided and your test mode default configuration has not been created: "
            "create one and name it."
        )
    identifier = state.new_id("bps")
    return state.add(
        {
            "id": identifier,
            "object": "billing_portal.session",
            "configuration": configuration["id"],
            "created": state.now(customer["id"]),
            "customer": customer["id"],
            "flow": None,
            "livemode": False,
            "locale": locale,
            "on_behalf_of": None,
            "return_url": return_url or configuration["default_return_url"],
            "url": f"{state.public_url}/_standin/portal/{identifier}",
        }
    )
