"""`/cable` on a Flask app through flask-sock: what is refused before the upgrade, and the conversation after
it."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import ConnectionError, Server
from wsproto.utilities import RemoteProtocolError

from jiki_core.cable import metrics
from jiki_core.cable.origins import is_origin_allowed
from jiki_core.cable.protocol import SUBPROTOCOLS
from jiki_core.cable.server import CableServer
from jiki_core.cable.services import CableServices
from jiki_core.cable.tokens import redact_token, token_of
from jiki_core.cable.transport import MAX_MESSAGE_BYTES, FlaskSockTransport, GuardedSocket, guard_environ
from jiki_core.errors import BadRequest, DomainError, Forbidden, Unavailable
from jiki_core.observability import get_logger

log = get_logger(__name__)
#: endpoint and rule of the socket; the app exempts the endpoint from its request machinery
ENDPOINT = "cable"
RULE = "/cable"
_EXTENSION = "jiki.cable"
_GUARDED = "jiki.cable.socket"


def mount_cable(app: Flask, services: CableServices) -> CableServer:
    """Adds the route and returns the process's cable, which is also `cable_of(app)`.

    Refusals before the upgrade are DomainErrors of the view, so the app's error handlers answer them.
    """
    server = CableServer(services)
    app.extensions[_EXTENSION] = server
    app.config["SOCK_SERVER_OPTIONS"] = {
        "subprotocols": list(SUBPROTOCOLS),
        "max_message_size": MAX_MESSAGE_BYTES,
    }

    def converse(websocket: Server) -> None:
        environ = websocket.environ
        transport = FlaskSockTransport(websocket, environ, environ[_GUARDED])
        try:
            # nothing of the handshake's request is current during the conversation: no app context is held
            # while the socket is idle, and each command gets one of its own
            contextvars.Context().run(server.serve, transport)
        finally:
            redact_token(environ)
            transport.finish()

    Sock(app).route(RULE, endpoint=ENDPOINT)(converse)
    upgrade: Callable[[], Response] = app.view_functions[ENDPOINT]  # type: ignore[assignment]  # flask-sock made it

    def guarded() -> Response:
        environ = request.environ
        try:
            guarded_socket = _admit(environ, server)
        except DomainError:
            redact_token(environ)
            raise
        try:
            environ[_GUARDED] = guarded_socket
            return upgrade()
        except (RemoteProtocolError, ConnectionError) as error:
            raise BadRequest() from error
        finally:
            server.give_place_back()

    app.view_functions[ENDPOINT] = guarded
    return server


def cable_of(app: Flask) -> CableServer:
    """The cable mounted on an app. Raises KeyError when there is none."""
    server: CableServer = app.extensions[_EXTENSION]
    return server


def _admit(environ: dict[str, Any], server: CableServer) -> GuardedSocket:
    """Takes a place for a handshake that may be upgraded; raises the DomainError that refuses it."""
    services = server.services
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not environ.get("HTTP_SEC_WEBSOCKET_KEY"):
        raise _refused("handshake", BadRequest())
    has_token = token_of(environ) is not None
    if not is_origin_allowed(environ, services.allowed_origins, has_token=has_token):
        raise _refused("origin", Forbidden())
    if not server.take_place():
        reason = "draining" if server.is_draining else "full"
        raise _refused(reason, Unavailable(retry_after_seconds=5))
    guarded = guard_environ(environ, services.limits.outgoing, server.timers.call_later)
    if guarded is None:
        server.give_place_back()
        log.error(
            "cable_needs_a_plain_socket",
            remedy="serve with gunicorn (gthread or gevent) and end TLS in front of it",
        )
        raise _refused("server", Unavailable(retry_after_seconds=60))
    return guarded


def _refused(reason: str, error: DomainError) -> DomainError:
    metrics.REFUSED.labels(reason).inc()
    return error
