"""`/_standin/…` as JSON: what a test does that Stripe's API does not offer. ControlClient (client.py)
speaks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from flask import Blueprint, Response, current_app, request

from jiki_payments.standin.billing import checkout, lifecycle, payments
from jiki_payments.standin.billing.checkout import Outcome, Visitor
from jiki_payments.standin.errors import InvalidRequest, StripeProblem
from jiki_payments.standin.presentation import present
from jiki_payments.standin.routes.endpoint import current_state, json_response
from jiki_payments.standin.state import State
from jiki_payments.standin.webhooks import Courier, Mode
from jiki_payments.standin.wire import Fault, FaultKind, Wire

control = Blueprint("control", __name__, url_prefix="/_standin")


@control.errorhandler(StripeProblem)
def refused(problem: StripeProblem) -> Response:
    return json_response(problem.status, {"error": problem.error})


@control.errorhandler(ValueError)
def unreadable(error: ValueError) -> Response:
    return json_response(400, {"error": {"type": "invalid_request_error", "message": str(error)}})


@control.get("/health")
def health() -> Response:
    return json_response(200, {"ready": True})


@control.post("/reset")
def reset() -> Response:
    with _changes() as state:
        state.reset()
        _courier().forget()
        _wire().disarm()
    return json_response(200, {})


@control.post("/checkout/<session>/complete")
def complete_checkout(session: str) -> Response:
    body = _body("outcome", "decline_code", "email", "name", "card_country")
    visitor = Visitor(**{field.name: body[field.name] for field in fields(Visitor) if field.name in body})
    with _changes() as state:
        stored = state.get("checkout.session", session)
        outcome = Outcome(body.get("outcome", "paid"))
        checkout.complete(state, stored, outcome, visitor, body.get("decline_code", "generic_decline"))
        return json_response(200, present(state, stored))


@control.post("/payment_intents/<intent>/settle")
def settle_payment(intent: str) -> Response:
    body = _body("is_paid", "decline_code")
    with _changes() as state:
        stored = state.get("payment_intent", intent)
        is_paid = body.get("is_paid", True) is True
        checkout.settle_payment(
            state, stored, is_paid=is_paid, decline_code=body.get("decline_code", "generic_decline")
        )
        return json_response(200, present(state, stored))


@control.post("/customers/<customer>/fail_next_payments")
def fail_next_payments(customer: str) -> Response:
    body = _body("times", "decline_code")
    with _changes() as state:
        state.get("customer", customer)
        code = str(body.get("decline_code", "generic_decline"))
        state.armed_declines[customer] = [code] * int(body.get("times", 1))
    return json_response(200, {})


@control.get("/clock")
def show_clock() -> Response:
    return json_response(200, {"now": current_state().now()})


@control.post("/clock/advance")
def advance_clock() -> Response:
    body = _body("seconds", "to")
    with _changes() as state:
        to = int(body["to"]) if "to" in body else state.now() + int(body.get("seconds", 0))
        lifecycle.advance(state, None, to)
        return json_response(200, {"now": state.now()})


@control.post("/settings")
def change_settings() -> Response:
    body = _body("retry_days", "after_last_retry")
    with _changes() as state:
        if "retry_days" in body:
            state.settings.retry_days = [int(days) for days in body["retry_days"]]
        if "after_last_retry" in body:
            if body["after_last_retry"] not in ("cancel", "unpaid", "past_due"):
                raise InvalidRequest("after_last_retry is cancel, unpaid or past_due", param="after_last_retry")
            state.settings.after_last_retry = body["after_last_retry"]
    return json_response(200, {})


@control.post("/charges/<charge>/dispute")
def open_dispute(charge: str) -> Response:
    body = _body("reason")
    with _changes() as state:
        opened = payments.dispute(state, state.get("charge", charge), body.get("reason", "fraudulent"))
        return json_response(200, present(state, opened))


@control.post("/disputes/<dispute>/close")
def close_dispute(dispute: str) -> Response:
    status = _body("status").get("status")
    if status not in ("won", "lost"):
        raise InvalidRequest("status is won or lost", param="status")
    with _changes() as state:
        closed = payments.close_dispute(state, state.get("dispute", dispute), status)
        return json_response(200, present(state, closed))


@control.get("/faults")
def list_faults() -> Response:
    return json_response(200, {"faults": _wire().armed()})


@control.post("/faults")
def arm_fault() -> Response:
    body = _body(*(field.name for field in fields(Fault)))
    _wire().arm(Fault(**{**body, "kind": FaultKind(body.get("kind", ""))}))
    return list_faults()


@control.delete("/faults")
def disarm_faults() -> Response:
    _wire().disarm()
    return list_faults()


@control.get("/deliveries")
def list_deliveries() -> Response:
    return json_response(200, {"mode": _courier().mode, "deliveries": _courier().deliveries()})


@control.post("/deliveries/mode")
def set_delivery_mode() -> Response:
    _courier().set_mode(Mode(_body("mode").get("mode", "")))
    return json_response(200, {"mode": _courier().mode})


@control.post("/deliveries/wait")
def wait_for_deliveries() -> Response:
    timeout = float(_body("timeout_seconds").get("timeout_seconds", 10))
    return json_response(200, {"is_idle": _courier().wait_until_idle(timeout)})


@control.post("/events/<event>/deliver")
def deliver_event(event: str) -> Response:
    return json_response(200, {"attempts": _courier().deliver_now(event)})


def _body(*names: str) -> dict[str, Any]:
    """The JSON body, refusing members this endpoint does not know."""
    body = request.get_json(silent=True) or {}
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.")
    for name in body.keys() - set(names):
        raise InvalidRequest(f"Unknown member: {name}. Known: {', '.join(names)}", param=name)
    return body


@contextmanager
def _changes() -> Iterator[State]:
    """The state, held while it is changed and saved after."""
    state = current_state()
    with state.lock:
        yield state
        state.save()


def _courier() -> Courier:
    courier: Courier = current_app.extensions["standin_courier"]
    return courier


def _wire() -> Wire:
    wire: Wire = current_app.extensions["standin_wire"]
    return wire
