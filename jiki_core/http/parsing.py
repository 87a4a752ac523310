"""The one request parser: strict JSON (depth, duplicate keys, encodings, numbers) and the arguments of routes.

contract.md section 1, "bodies": what cannot be read is 400 `bad_request`, another content type is 415, an empty body is
no body.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn, cast
from urllib.parse import unquote_to_bytes

import marshmallow as ma
from flask import Request, g, request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from jiki_core.errors import (
    BadRequest,
    DuplicateParameter,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)
from jiki_core.http.schema import field_errors

MAX_DEPTH = 64
MAX_INTEGER = 2**63 - 1
_MISSING = object()
#: strings are skipped, so that brackets inside them do not count
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
#: an escape that may stand for NUL or half of a surrogate pair
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def strict_json(raw: bytes) -> Any:
    """The JSON value of a body; raises BadRequest for what RFC 8259 or our limits refuse."""
    depth = 0
    for found in _STRUCTURE.finditer(raw):
        mark = found.group()
        if mark in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise BadRequest(reason="nesting_too_deep")
        elif mark in (b"]", b"}"):
            depth -= 1
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object_without_duplicates,
            parse_int=_bounded_integer,
            parse_float=_finite_float,
            parse_constant=_no_constant,
        )
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BadRequest(reason="invalid_json") from None
    if _SUSPECT_ESCAPE.search(raw):
        _refuse_unstorable(value)
    return value


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadRequest(reason="duplicate_key")
    return made


def _bounded_integer(digits: str) -> int:
    if len(digits) > 20 or abs(value := int(digits)) > MAX_INTEGER:
        raise BadRequest(reason="number_too_large")
    return value


def _finite_float(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise BadRequest(reason="number_too_large")
    return value


def _no_constant(name: str) -> NoReturn:
    raise BadRequest(reason="invalid_json")


def _refuse_unstorable(value: Any) -> None:
    """NUL and lone surrogates: PostgreSQL can store neither."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise BadRequest(reason="unstorable_character")
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_unstorable(name)
            _refuse_unstorable(member)
    elif isinstance(value, list):
        for member in value:
            _refuse_unstorable(member)


def read_json_body(incoming: Request) -> None:
    """Reads and keeps the body of a JSON route; an empty body is none, whatever its type."""
    raw = read_body(incoming)
    if not raw:
        g.jiki_json = _MISSING
        return
    if incoming.mimetype != "application/json":
        raise UnsupportedMediaType()
    g.jiki_json = strict_json(raw)


def read_body(incoming: Request) -> bytes:
    """The body's bytes; raises PayloadTooLarge beyond `max_body_bytes`."""
    try:
        return incoming.get_data(cache=True)
    except RequestEntityTooLarge:
        raise PayloadTooLarge() from None


def check_query(incoming: Request) -> None:
    """Refuses undecodable bytes, NUL and a parameter given twice in the query string."""
    if not incoming.query_string:
        return
    try:
        decoded = unquote_to_bytes(incoming.query_string).decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(reason="invalid_encoding") from None
    if "\0" in decoded:
        raise BadRequest(reason="unstorable_character")
    for name, values in incoming.args.lists():
        if len(values) > 1:
            raise DuplicateParameter(parameter=name)


class ArgumentsParser(FlaskParser):
    """webargs with our JSON and our validation errors. Query strings may hold what a route does not know; bodies may not."""

    DEFAULT_UNKNOWN_BY_LOCATION = {
        "json": None,
        "form": ma.EXCLUDE,
        "files": ma.EXCLUDE,
        "query": ma.EXCLUDE,
        "headers": ma.EXCLUDE,
        "path": ma.EXCLUDE,
    }

    def load_json(self, req: Request, schema: Any) -> Any:
        body = g.get("jiki_json", _MISSING)
        return {} if body is _MISSING else body

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: Any,
        *,
        error_status_code: Any,
        error_headers: Any,
    ) -> NoReturn:
        raise ValidationFailed(field_errors(cast("dict[str, Any]", error.messages), schema))


def json_body() -> Any:
    """The parsed body of the current request, None when there was none; for views without a schema."""
    body = g.get("jiki_json", _MISSING) if request else _MISSING
    return None if body is _MISSING else body
