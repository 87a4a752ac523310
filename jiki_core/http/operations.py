"""The core's own routes for operators: liveness, readiness, metrics and the plugins' states."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, request

from jiki_core.errors import Forbidden, Unavailable
from jiki_core.http.mounts import Mounted
from jiki_core.http.replies import json_response
from jiki_core.observability.metrics import render
from jiki_core.runtime import runtime
from jiki_core.security import public


def mount_operations(
    app: Flask, *, is_ready: Callable[[], bool], plugin_report: Callable[[], Mapping[str, Any]]
) -> dict[str, Mounted]:
    """`/health-check`, `/health/live`, `/health/ready`, `/metrics`, `/-/plugins`; returns their guards.

    `/health/ready?strict` answers operators 503 while living processes run different plugin sets, or while a critical health
    check of a plugin finds trouble, with the reasons.
    """
    routes = Blueprint("operations", __name__)

    @routes.get("/health-check")
    def health_check() -> Response:
        if not is_ready():
            raise Unavailable(retry_after_seconds=1)
        return json_response({"ruok": True}, 200)

    @routes.get("/health/live")
    def live() -> Response:
        return json_response({"live": True}, 200)

    @routes.get("/health/ready")
    def ready() -> Response:
        if not is_ready():
            raise Unavailable(retry_after_seconds=1)
        if not _is_operator():
            return json_response({"ready": True}, 200)
        report = plugin_report()
        # A rolling deploy differs for a while and must go on, and no fleet must be replaced for what lies outside it:
        # only who asks for it is told no.
        trouble = report["differences"] or [one for one in report["health"] if one["critical"] and not one["well"]]
        is_ready_too = "strict" not in request.args or not trouble
        return json_response({"ready": is_ready_too, **report}, 200 if is_ready_too else 503)

    @routes.get("/metrics")
    def metrics() -> Response:
        _require_operator()
        text, content_type = render()
        return Response(text, content_type=content_type)

    @routes.get("/-/plugins")
    def plugins() -> Response:
        _require_operator()
        return json_response(plugin_report(), 200)

    app.register_blueprint(routes)
    return {
        endpoint: Mounted("core", "core", public)
        for endpoint in app.view_functions
        if endpoint.startswith("operations.")
    }


def _is_operator() -> bool:
    """The operations token; in development anybody on this machine."""
    settings = runtime().settings
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = settings.operations_token.reveal()
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    return not settings.is_production and not token


def _require_operator() -> None:
    if not _is_operator():
        raise Forbidden()
