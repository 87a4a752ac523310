"""Answers that are bytes already, and their ETags (performance.md 2 and 4)."""

from __future__ import annotations

from flask import Response, request

from jiki_core.http import Reply
from jiki_core.http.replies import CONTENT_TYPE


def ready(body: bytes, *, tag: str | None = None) -> Reply:
    """A success whose body was serialised before. `tag` names its state; without one the body is hashed."""
    response = Response(body, content_type=CONTENT_TYPE)
    if tag is not None:
        response.set_etag(tag)
    return response


def asks_whether_changed() -> bool:
    """Whether the caller has an earlier answer and would be content with 304."""
    return bool(request.if_none_match)


def has(tag: str) -> bool:
    """Whether the caller's earlier answer is of this state."""
    return request.if_none_match.contains_weak(tag)


def not_changed(tag: str) -> Reply:
    """304 for user data."""
    response = Response(status=304)
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
