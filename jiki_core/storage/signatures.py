"""Signed links of the disk driver: an HMAC over the method, the key, the end and every parameter, so that none can change."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

#: the parameter that carries the signature
SIGNATURE = "signature"
EXPIRES = "expires"


def sign(secret: bytes, method: str, key: str, parameters: Mapping[str, str]) -> str:
    """The signature of a request; every parameter but the signature itself is covered, whatever their order."""
    listed = [f"{name}={parameters[name]}" for name in sorted(parameters) if name != SIGNATURE]
    message = "\n".join(f"{len(part)}:{part}" for part in (method, key, *listed))
    digest = hmac.digest(secret, message.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_signed(secret: bytes, method: str, key: str, parameters: Mapping[str, str], now: float) -> bool:
    """Whether the link was made with `secret` (32 bytes) and has not expired at `now` (Unix seconds)."""
    expected = sign(secret, method, key, parameters)
    if not hmac.compare_digest(expected.encode(), parameters.get(SIGNATURE, "").encode()):
        return False
    expires = parameters.get(EXPIRES, "")
    return expires.isascii() and expires.isdigit() and now < int(expires)
