"""Calls to services outside: https or a configured URL, short time-outs, no redirects, small answers, no unit open."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from jiki_core.db import refuse_inside_unit, release_connection

TIMEOUT_SECONDS = 5.0
MAXIMUM_ANSWER_BYTES = 262_144


class OutsideUnavailable(Exception):
    """No answer, or one that is no answer: a time-out, a refused connection, a 5xx, junk."""


class OutsideRefused(Exception):
    """The service understood and said no: a 4xx."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> NoReturn:
        raise OutsideUnavailable("a redirect, which is not followed")


def is_allowed_origin(url: str, allowed: Collection[str]) -> bool:
    """Whether a URL that somebody else told us begins with one of the origins; `*` there is one label of a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    origin = f"{parts.scheme}://{parts.netloc}".lower()  # with credentials and port, which no origin of ours matches
    return any(re.fullmatch(re.escape(one).replace(r"\*", "[a-z0-9-]+"), origin) for one in allowed)


def post_form(url: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object a form post is answered with. Raises OutsideUnavailable, OutsideRefused."""
    answer = json_of(fetch(url, urlencode(fields).encode()))
    if not isinstance(answer, dict):
        raise OutsideUnavailable("the answer is no object")
    return answer


def fetch(url: str, body: bytes | None = None, *, ca_file: str = "") -> bytes:
    """GETs, or POSTs a form. `ca_file` names the authorities to trust instead of the system's."""
    refuse_inside_unit("a call to the outside")
    release_connection()
    context = ssl.create_default_context(cafile=ca_file or None)
    opener = urllib.request.build_opener(_NoRedirects(), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(url, data=body, headers={"Accept": "application/json, */*"})
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            found: bytes = response.read(MAXIMUM_ANSWER_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            kind = OutsideRefused if 400 <= error.code < 500 and error.code != 429 else OutsideUnavailable
            raise kind(f"status {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise OutsideUnavailable(type(error).__name__) from error
    if len(found) > MAXIMUM_ANSWER_BYTES:
        raise OutsideUnavailable("the answer is too large")
    return found


def json_of(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise OutsideUnavailable("the answer is no JSON") from None
