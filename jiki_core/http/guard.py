"""The one app-level guard: every request passes it before its view, in this order.

Request id, the plugin's state, the query, the cross-site rule, who is asking, the policy, the rate limit, the body. A
Blueprint object is never touched (architecture.md 2.1); what the guard knows of an endpoint is in `Runtime.mounted`.
"""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from jiki_core.errors import (
    CsrfFailed,
    Forbidden,
    InsufficientScope,
    NotFound,
    PayloadTooLarge,
    PluginPaused,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from jiki_core.http.caching import make_cacheable
from jiki_core.http.mounts import Mounted
from jiki_core.http.parsing import check_query, read_json_body
from jiki_core.http.rate_limits import add_rate_headers, check_rate
from jiki_core.observability import counter, gauge, get_logger, histogram
from jiki_core.observability.costs import current_costs, start_costs, stop_costs
from jiki_core.observability.request_ids import accept_request_id, bind_request_id, current_request_id
from jiki_core.runtime import Runtime, runtime_of
from jiki_core.security import Policy, current_identity, is_cross_site

log = get_logger(__name__)
#: `/cable` holds its request for hours: no unit of work, time-out, access line or request metric is for it
SOCKET_ENDPOINT = "cable"
#: for our own pages (API docs, development), whose scripts and styles are theirs
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: bytes of a refused body that are read and dropped, so that the caller gets the answer and not a reset connection
DRAIN_LIMIT = 32 * 1024 * 1024

_seconds = histogram(
    "http_server_request_duration_seconds", "Time to answer", ["method", "route", "status_class", "plugin"]
)
_statements = histogram(
    "jiki_db_queries_per_request", "Statements of a request", ["plugin"], buckets=(1, 2, 5, 10, 20, 50, 100)
)
_active = gauge("http_server_active_requests", "Requests being answered")
_denials = counter("jiki_policy_denials_total", "Requests refused by a policy", ["policy"])


def install_guard(app: Flask) -> None:
    """Puts the guard before all views and the finishing touches after them."""

    @app.before_request
    def guard() -> Response | None:
        if request.endpoint == SOCKET_ENDPOINT:
            return None
        g.jiki_started = time.perf_counter()
        g.jiki_costs = start_costs()
        bind_request_id(accept_request_id(request.headers.get("X-Request-Id")))
        _active.inc()
        if _is_preflight_of_no_route():
            return Response(status=204)
        mounted = runtime_of(app).mounted.get(request.endpoint or "")
        if mounted is not None and request.method != "OPTIONS":
            check(runtime_of(app), mounted)
        return None

    @app.after_request
    def finish(response: Response) -> Response:
        return response if request.endpoint == SOCKET_ENDPOINT else _finish(app, response)

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        if request.endpoint != SOCKET_ENDPOINT:
            _active.dec()
            if "jiki_costs" in g:
                stop_costs(g.pop("jiki_costs"))
            bind_request_id(None)


def _is_preflight_of_no_route() -> bool:
    """A browser takes a refused preflight for a lost connection, so that the web client would repeat the call for ever
    (contract.md 6.2); let through, it reads the 404 of the call itself.
    """
    if request.method != "OPTIONS" or request.routing_exception is None:
        return False
    return "Access-Control-Request-Method" in request.headers


def check(at: Runtime, mounted: Mounted) -> None:
    """Raises the DomainError that refuses the current request, if any."""
    if mounted.audience != "core":
        _check_plugin(at, mounted.plugin)
    check_query(request)
    if any("\0" in value for value in (request.view_args or {}).values() if isinstance(value, str)):
        raise NotFound()
    if mounted.body != "raw":
        _check_cross_site(at)
    try:
        _check_policy(at, mounted.policy)
    finally:  # refused requests count too: guessing tokens would be free otherwise
        check_rate(mounted, g.get("jiki_identity"))
    if request.method not in SAFE_METHODS:
        _check_body(mounted)


def _check_plugin(at: Runtime, plugin: str) -> None:
    if at.plugins.is_paused(plugin):
        raise PluginPaused(retry_after_seconds=5, plugin=plugin)
    if not at.plugins.is_running(plugin):
        raise Unavailable(retry_after_seconds=1)


def _check_cross_site(at: Runtime) -> None:
    """Bearer tokens and API keys cannot be sent by a page that does not have them; cookies can."""
    if request.method in SAFE_METHODS or request.headers.get("Authorization"):
        return
    if is_cross_site(request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site"), at.settings.allowed_origins):
        raise CsrfFailed()


def _check_policy(at: Runtime, policy: Policy) -> None:
    if policy.kind == "public":
        return
    if policy.kind == "signature":
        assert policy.verifier is not None, "signature(...) names its verifier"
        policy.verifier(request)
        return
    identity = current_identity()
    if identity is None:
        raise Unauthenticated()
    if policy.permission is None:
        if identity.method == "api_key":  # a key may do what its scopes name, and nothing else
            _denials.labels(policy.describe()).inc()
            raise InsufficientScope(scope=None)
        return
    if not at.authorize(identity, policy.permission, None):
        _denials.labels(policy.describe()).inc()
        if identity.method == "api_key":
            raise InsufficientScope(scope=policy.permission)
        raise Forbidden()


def _check_body(mounted: Mounted) -> None:
    if mounted.body_limit is not None:
        request.max_content_length = max(mounted.body_limit, request.max_content_length or 0)
    limit = request.max_content_length
    if limit is not None and (request.content_length or 0) > limit:
        _drain()
        raise PayloadTooLarge()
    if mounted.body == "json":
        read_json_body(request)
    elif mounted.body == "multipart" and request.content_length and request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType()


def _drain() -> None:
    stream, left = request.environ["wsgi.input"], DRAIN_LIMIT
    while left > 0 and (chunk := stream.read(min(65_536, left))):
        left -= len(chunk)


def _content_policy(response: Response) -> str:
    return PAGE_POLICY if response.mimetype == "text/html" else "default-src 'none'; frame-ancestors 'none'"


def _finish(app: Flask, response: Response) -> Response:
    at = runtime_of(app)
    mounted = at.mounted.get(request.endpoint or "")
    response = add_rate_headers(make_cacheable(response, request))
    headers = response.headers
    headers["X-Request-Id"] = current_request_id() or ""
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Content-Security-Policy", _content_policy(response))
    response.vary.add("Origin")
    if at.settings.is_production:
        headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
    elapsed = time.perf_counter() - g.get("jiki_started", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else "(none)"
    plugin = mounted.plugin if mounted else "core"
    _seconds.labels(request.method, route, f"{response.status_code // 100}xx", plugin).observe(elapsed)
    costs = current_costs()
    if costs is not None:
        _statements.labels(plugin).observe(costs.statements)
        if at.settings.is_development:
            headers["Server-Timing"] = costs.server_timing(plugin, elapsed)
    identity = g.get("jiki_identity")
    log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=round(elapsed * 1000, 1),
        plugin=plugin,
        user_id=identity.user_id if identity else None,
    )
    return response
