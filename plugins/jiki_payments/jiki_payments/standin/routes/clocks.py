"""`/v1/test_helpers/test_clocks` and `/v1/account`."""

from __future__ import annotations

from jiki_payments.standin.billing import lifecycle
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.events import emit
from jiki_payments.standin.routes.endpoint import Call, endpoint
from jiki_payments.standin.state import JsonObject

MONTH_SECONDS = 31 * 86_400


@endpoint("POST", "/test_helpers/test_clocks")
def create_clock(call: Call) -> JsonObject:
    frozen_time, name = call.params.integer("frozen_time"), call.params.text("name")
    call.params.finish()
    if frozen_time is None:
        raise InvalidRequest("Missing required param: frozen_time.", param="frozen_time", code="parameter_missing")
    identifier = call.state.new_id("clock")
    call.state.clock.frozen[identifier] = frozen_time
    now = call.state.now()
    return call.state.add(
        {
            "id": identifier,
            "object": "test_helpers.test_clock",
            "created": now,
            "deletes_after": now + MONTH_SECONDS,
            "frozen_time": frozen_time,
            "livemode": False,
            "name": name,
            "status": "ready",
            "status_details": {},
        }
    )


@endpoint("GET", "/test_helpers/test_clocks")
def list_clocks(call: Call) -> JsonObject:
    return call.listed("test_helpers.test_clock")


@endpoint("GET", "/test_helpers/test_clocks/<clock>")
def retrieve_clock(call: Call, clock: str) -> JsonObject:
    call.params.finish()
    return call.state.get("test_helpers.test_clock", clock)


@endpoint("POST", "/test_helpers/test_clocks/<clock>/advance")
def advance_clock(call: Call, clock: str) -> JsonObject:
    """All that falls due is done before this answers; Stripe says `advancing` for a while."""
    stored = call.state.get("test_helpers.test_clock", clock)
    frozen_time = call.params.integer("frozen_time")
    call.params.finish()
    if frozen_time is None or frozen_time < stored["frozen_time"]:
        raise InvalidRequest("`frozen_time` must be later than the clock's.", param="frozen_time")
    lifecycle.advance(call.state, clock, frozen_time)
    stored["frozen_time"] = frozen_time
    emit(call.state, "test_helpers.test_clock.ready", stored)
    return stored


@endpoint("DELETE", "/test_helpers/test_clocks/<clock>")
def delete_clock(call: Call, clock: str) -> JsonObject:
    """Its customers go with it."""
    call.state.get("test_helpers.test_clock", clock)
    call.params.finish()
    customers = {one["id"] for one in call.state.all("customer", test_clock=clock)}
    for things in call.state.objects.values():
        for identifier in [key for key, one in things.items() if one.get("customer") in customers]:
            if things[identifier]["object"] != "event":
                del things[identifier]
    for customer in customers:
        del call.state.objects["customer"][customer]
    del call.state.objects["test_helpers.test_clock"][clock]
    del call.state.clock.frozen[clock]
    return {"id": clock, "object": "test_helpers.test_clock", "deleted": True}


@endpoint("GET", "/account")
def retrieve_account(call: Call) -> JsonObject:
    call.params.finish()
    return {
        "id": "acct_standin",
        "object": "account",
        "business_profile": {"name": "Jiki stand-in"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": None,
        "payouts_enabled": True,
        "type": "standard",
    }
