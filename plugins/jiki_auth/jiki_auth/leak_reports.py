"""Reports of leaked API keys as GitHub's secret scanning sends them: the ECDSA signature over the raw body, and what it names."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature as BadSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Request, current_app

from jiki_auth.errors import InvalidSignature
from jiki_auth.outbound import OutsideRefused, OutsideUnavailable, fetch, json_of
from jiki_auth.settings import auth_settings
from jiki_core.errors import BadRequest
from jiki_core.http import read_body, strict_json
from jiki_core.observability import get_logger

log = get_logger(__name__)
#: headers of the "Secret scanning partner program"
KEY_HEADER = "Github-Public-Key-Identifier"
SIGNATURE_HEADER = "Github-Public-Key-Signature"
#: an invented key id fetches the published keys once in this time, whoever sends it
FETCH_EVERY_SECONDS = 60.0
#: of one report
MAXIMUM_MATCHES = 1_000


@dataclass(frozen=True, slots=True)
class LeakedText:
    """A text that looks like a key of ours, and where it lies in the open; empty when the report does not say."""

    text: str
    url: str


@dataclass(slots=True)
class PublishedKeys:
    """What the scanner publishes, kept between reports."""

    by_id: dict[str, ec.EllipticCurvePublicKey] = field(default_factory=dict)
    fetched_at: float = float("-inf")


def verify_leak_report(request: Request) -> None:
    """The policy of the route: raises InvalidSignature for what the configured scanner did not sign."""
    url = auth_settings().leak_report_keys_url
    try:
        if not url:
            raise InvalidSignature()
        signature = base64.b64decode(request.headers.get(SIGNATURE_HEADER, ""), validate=True)
        key = _published_key(request.headers.get(KEY_HEADER, ""), url)
        key.verify(signature, read_body(request), ec.ECDSA(hashes.SHA256()))
    except (
        BadSignature,
        KeyError,
        TypeError,
        ValueError,
        binascii.Error,
        OutsideRefused,
        OutsideUnavailable,
    ) as error:
        log.warning("leak_report_refused", error=type(error).__name__)
        raise InvalidSignature() from None


def leaked_texts(request: Request) -> list[LeakedText]:
    """What a report that was verified names; junk in it names nothing."""
    try:
        matches = strict_json(read_body(request))
    except BadRequest:
        return []
    return [
        LeakedText(one["token"], str(one.get("url") or "")[:500])
        for one in (matches if isinstance(matches, list) else [])[:MAXIMUM_MATCHES]
        if isinstance(one, dict) and isinstance(one.get("token"), str)
    ]


def _published_key(key_id: str, url: str) -> ec.EllipticCurvePublicKey:
    """Raises KeyError for an id that is not published."""
    kept: PublishedKeys = current_app.extensions.setdefault("jiki_auth.leak_report_keys", PublishedKeys())
    if key_id not in kept.by_id and time.monotonic() - kept.fetched_at >= FETCH_EVERY_SECONDS:
        kept.fetched_at = time.monotonic()
        kept.by_id = _parsed(json_of(fetch(url)))
    return kept.by_id[key_id]


def _parsed(published: object) -> dict[str, ec.EllipticCurvePublicKey]:
    """Raises KeyError, TypeError or ValueError for an answer of another shape."""
    if not isinstance(published, dict):
        raise TypeError("the published keys are no object")
    found = {}
    for one in published["public_keys"]:
        key = load_pem_public_key(one["key"].encode())
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            found[str(one["key_identifier"])] = key
    return found
