"""Replies: ready bytes. Schemas document and validate input; they do not serialise output (performance.md 11)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from flask import Response, request

from jiki_core.runtime import runtime

if TYPE_CHECKING:
    from jiki_core.http.pagination import Page

#: what views return: made by `reply`, `reply_page` and `no_content`
Reply = Response
CONTENT_TYPE = "application/json; charset=utf-8"
_BARE_AUDIENCES = re.compile(r"/api/[^/]+/(?:admin|webhooks)(?:/|$)")


class Unlock(Protocol):
    """What `meta.events` lists: `{type, data}` (contract.md 2.1)."""

    def as_json(self) -> dict[str, Any]: ...


def reply(payload: Mapping[str, Any], *, events: Iterable[Unlock] = (), status: int = 200) -> Response:
    """The success envelope: named roots, and `meta.events` everywhere but under admin and webhooks."""
    body = dict(payload)
    if has_meta():
        body["meta"] = {**body.get("meta", {}), "events": [event.as_json() for event in events]}
    return json_response(body, status)


def reply_page(page: Page[Any], results: Sequence[Any], **extra: Any) -> Response:
    """The paginated envelope: `results` and `meta` with the page's figures and `extra` members."""
    meta = {
        "current_page": page.current_page,
        "total_count": page.total_count,
        "total_pages": page.total_pages,
        **extra,
    }
    if has_meta():
        meta["events"] = []
    return json_response({"results": list(results), "meta": meta}, 200)


def no_content() -> Response:
    """204 without a body."""
    return Response(status=204)


def json_response(body: Any, status: int) -> Response:
    return Response(orjson.dumps(body, default=_plain), status=status, content_type=CONTENT_TYPE)


def timestamp(moment: datetime | None, *, milliseconds: bool = False) -> str | None:
    """ISO 8601 in UTC with `Z`; with milliseconds where the contract shows them."""
    if moment is None:
        return None
    precision = "milliseconds" if milliseconds else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def has_meta() -> bool:
    """Whether the current request's JSON carries `meta.events` (contract.md section 1); without a route its path says."""
    mounted = runtime().mounted.get(request.endpoint or "")
    return mounted.has_meta if mounted is not None else _BARE_AUDIENCES.match(request.path) is None


def _plain(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is no JSON value: present it in the view")
