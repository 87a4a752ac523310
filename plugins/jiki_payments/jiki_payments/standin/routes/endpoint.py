"""What every call of the API goes through: key, version, parameters, idempotency, expansion, Stripe's
error shape.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, request

from jiki_payments.standin.errors import InvalidRequest, StripeProblem
from jiki_payments.standin.form import Params, decode_form
from jiki_payments.standin.presentation import check_depth, page_of, present
from jiki_payments.standin.state import API_VERSION, JsonObject, State

KEPT_ANSWERS = 2_000
"""Of how many calls the answers are kept; Stripe keeps them by time, a day at least."""

api = Blueprint("api", __name__, url_prefix="/v1")


@dataclass(frozen=True, slots=True)
class Call:
    """One call, authenticated; a handler reads `params`, finishes them, acts, and returns the object that
    changed.
    """

    state: State
    params: Params
    url: str

    def get(self, kind: str, key: str) -> JsonObject:
        """The object a required parameter names."""
        return self.state.get(kind, self.params.required(key), self.params.name(key))

    def get_optional(self, kind: str, key: str) -> JsonObject | None:
        identifier = self.params.text(key)
        return self.state.get(kind, identifier, self.params.name(key)) if identifier else None

    def listed(self, kind: str, **filters: Any) -> JsonObject:
        """One page of the objects of a kind; a filter that is None does not filter."""
        wanted = {name: value for name, value in filters.items() if value is not None}
        page = page_of(self.state.all(kind, **wanted), self.params, self.url)
        self.params.finish()
        return page


Handler = Callable[..., JsonObject]


def endpoint(method: str, rule: str) -> Callable[[Handler], Handler]:
    """Register a handler `(call, **ids) -> object` for one route of the API."""

    def register(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def view(**ids: str) -> Response:
            return _answer(handler, ids)

        api.add_url_rule(rule, f"{method.lower()} {rule}", view, methods=[method])
        return handler

    return register


def current_state() -> State:
    state: State = current_app.extensions["standin_state"]
    return state


def json_response(status: int, body: JsonObject) -> Response:
    return Response(json.dumps(body, indent=2), status=status, mimetype="application/json")


def _answer(handler: Handler, ids: dict[str, str]) -> Response:
    state = current_state()
    state.request_id = state.new_id("req")
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    state.idempotency_key = key
    try:
        _check_key_and_version()
        text = request.get_data(as_text=True) if request.method == "POST" else request.query_string.decode()
        fingerprint = hashlib.sha256(f"{request.method} {request.path} {text}".encode()).hexdigest()
        if key and (earlier := state.answers.get(key)):
            return _replayed(earlier, fingerprint, key)
        response = _computed(state, handler, ids, Params(decode_form(text)))
    except StripeProblem as problem:
        response = json_response(problem.status, {"error": problem.error})
    finally:
        request_id, state.request_id, state.idempotency_key = state.request_id, None, None
    # Like Stripe: an answer is kept once the call was carried out, not when its parameters were refused.
    if key and response.status_code in (200, 402):
        state.answers[key] = {
            "fingerprint": fingerprint,
            "status": response.status_code,
            "body": response.get_data(as_text=True),
            "request_id": request_id,
        }
        if len(state.answers) > KEPT_ANSWERS:
            del state.answers[next(iter(state.answers))]
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = API_VERSION
    if key:
        response.headers["Idempotency-Key"] = key
    return response


def _computed(state: State, handler: Handler, ids: dict[str, str], params: Params) -> Response:
    expand = params.texts("expand")
    check_depth(expand)
    result = handler(Call(state, params, request.path), **ids)
    assert params.is_finished, f"{handler.__name__} does not finish its parameters"
    return json_response(200, present(state, result, expand))


def _check_key_and_version() -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not key.startswith(("sk_test_", "rk_test_")):
        raise StripeProblem(
            401,
            "invalid_request_error",
            "Invalid API key: the stand-in takes any that begins with sk_test_ or rk_test_, as Bearer.",
        )
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise InvalidRequest(f"The stand-in speaks API version {API_VERSION} only, not {version}: set stripe_version.")


def _replayed(earlier: JsonObject, fingerprint: str, key: str) -> Response:
    if earlier["fingerprint"] != fingerprint:
        message = "Keys for idempotent requests can only be used with the same parameters as at first."
        return json_response(
            400, {"error": {"type": "idempotency_error", "message": f"{message} This key is '{key}'."}}
        )
    response = Response(earlier["body"], status=earlier["status"], mimetype="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    response.headers["Original-Request"] = earlier["request_id"]
    response.headers["Request-Id"] = earlier["request_id"]
    response.headers["Idempotency-Key"] = key
    return response
