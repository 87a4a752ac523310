"""The stand-in's Flask application: the API, the control endpoints and the pages over one state."""

from __future__ import annotations

from flask import Flask, Response

from jiki_payments.standin.billing import lifecycle
from jiki_payments.standin.routes import (
    billing_portal,
    catalogue,
    checkout_sessions,
    clocks,
    customers,
    invoices,
    notices,
    payments,
    subscriptions,
)
from jiki_payments.standin.routes.control import control
from jiki_payments.standin.routes.endpoint import api, json_response
from jiki_payments.standin.routes.pages import pages
from jiki_payments.standin.state import State
from jiki_payments.standin.webhooks import Courier
from jiki_payments.standin.wire import Wire

#: Imported for their routes.
RESOURCES = (
    billing_portal,
    catalogue,
    checkout_sessions,
    customers,
    invoices,
    notices,
    payments,
    subscriptions,
    clocks,
)


def create_app(state: State, courier: Courier) -> Flask:
    """One application over `state`; `app.wsgi_app` is the wire that tests may break."""
    app = Flask(__name__)
    app.extensions["standin_state"] = state
    app.extensions["standin_courier"] = courier
    app.register_blueprint(api)
    app.register_blueprint(control)
    app.register_blueprint(pages)

    @app.before_request
    def catch_up() -> None:
        """Do what fell due since the last call, before this one looks."""
        with state.lock:
            lifecycle.run_due(state, None, state.now())

    @app.errorhandler(404)
    def not_found(error: Exception) -> Response:
        message = "Unrecognized request URL, or a resource the stand-in does not model."
        return json_response(404, {"error": {"type": "invalid_request_error", "message": message}})

    wire = Wire(app.wsgi_app, state)
    app.extensions["standin_wire"] = wire
    app.wsgi_app = wire  # type: ignore[method-assign]  # Flask documents this as the way to add middleware
    return app
