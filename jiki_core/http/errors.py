"""Errors on the wire: one envelope for domain errors, framework errors and accidents (contract.md section 1)."""

from __future__ import annotations

import traceback
from typing import Any

import orjson
from flask import Flask, Response, request
from psycopg.errors import Error as PsycopgError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from jiki_core.errors import (
    NO_ROOM,
    BadRequest,
    DomainError,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    StorageFull,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from jiki_core.http.replies import CONTENT_TYPE, has_meta
from jiki_core.observability import counter, current_request_id, get_logger
from jiki_core.runtime import runtime_of

log = get_logger(__name__)
PROBLEM_TYPE = "application/problem+json"

_problems = counter("jiki_problem_responses_total", "Error responses", ["type", "status"])
_unhandled = counter("jiki_unhandled_exceptions_total", "Exceptions nobody expected")

#: what the framework raises -> our error
_BY_STATUS: dict[int, type[DomainError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
    503: Unavailable,
}


def register_error_handlers(app: Flask) -> None:
    """Every error of the app becomes the envelope, whoever raised it."""
    app.register_error_handler(DomainError, lambda error: error_response(app, error))
    app.register_error_handler(HTTPException, lambda error: _framework_error(app, error))
    app.register_error_handler(PoolTimeout, lambda error: _database_away(app, error))
    app.register_error_handler(OperationalError, lambda error: _database_error(app, error))
    app.register_error_handler(OSError, lambda error: _system_error(app, error))
    app.register_error_handler(Exception, lambda error: _accident(app, error))


def error_response(app: Flask, error: DomainError, **development_only: Any) -> Response:
    """The response of a domain error at the current door, whose route may give it another status or symbol."""
    mounted = runtime_of(app).mounted.get(request.endpoint or "")
    status, symbol = error.status, error.symbol
    if mounted is not None:
        for kind in type(error).__mro__:
            if kind in mounted.raises:
                told = mounted.raises[kind]
                status, symbol = told if isinstance(told, tuple) else (told, symbol)
                break
    body: dict[str, Any] = {"error": {"type": symbol, **error.extras}}
    if runtime_of(app).settings.is_development:
        body["error"].update({name: value for name, value in development_only.items() if value})
    if has_meta() and error.has_meta:
        body["meta"] = {"events": []}
    body["request_id"] = current_request_id()
    content_type = CONTENT_TYPE
    if _prefers_problem_json():
        content_type = PROBLEM_TYPE
        body = {
            "type": f"urn:jiki:error:{symbol}",
            "title": symbol.replace("_", " ").capitalize(),
            "status": status,
            "instance": f"urn:jiki:request:{current_request_id()}",
            **body,
        }
    _problems.labels(symbol, str(status)).inc()
    response = Response(orjson.dumps(body, default=str), status=status, content_type=content_type)
    response.headers.update(error.headers())
    return response


def _prefers_problem_json() -> bool:
    """Only an explicit wish counts; `*/*` means JSON (contract.md 6.4)."""
    return any(value == PROBLEM_TYPE and quality > 0 for value, quality in request.accept_mimetypes)


def _framework_error(app: Flask, error: HTTPException) -> Response:
    if error.response is not None:
        return Response(error.response.get_data(), error.response.status_code, dict(error.response.headers))  # type: ignore[attr-defined]
    status = error.code or 500
    if status < 400:
        return Response(status=status, headers=dict(error.get_headers()))
    domain = _BY_STATUS.get(status, BadRequest if status < 500 else InternalError)()
    response = error_response(app, domain, detail=error.description)
    if status == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _database_away(app: Flask, error: Exception) -> Response:
    log.warning("database_unavailable", error=type(error).__name__)
    return error_response(app, Unavailable(retry_after_seconds=1), detail=str(error))


def _database_error(app: Flask, error: OperationalError) -> Response:
    """A lost or refused connection passes; other operational errors (a cancelled statement) are accidents."""
    original = error.orig
    if error.connection_invalidated or not isinstance(original, PsycopgError) or original.sqlstate is None:
        return _database_away(app, error)
    if original.sqlstate[:2] in ("08", "57", "53", "55"):
        return _database_away(app, error)
    return _accident(app, error)


def _system_error(app: Flask, error: OSError) -> Response:
    """A disk without room is told as such, wherever it was met: a body waits on the disk before a view sees it."""
    if error.errno in NO_ROOM:
        log.error("disk_full", endpoint=request.endpoint)
        return error_response(app, StorageFull(), detail=str(error))
    return _accident(app, error)


def _accident(app: Flask, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _database_away(app, error)
    _unhandled.inc()
    log.error("unhandled_exception", exc_info=error, endpoint=request.endpoint)
    return error_response(
        app,
        InternalError(),
        detail=f"{type(error).__name__}: {error}",
        traceback=traceback.format_exception(error),
    )
