"""Where a checkout may return to: pages of our own front-end only (contract.md 3.12). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
#: what browsers and urlsplit read differently
_TREACHEROUS = re.compile(r"[\s\\\x00-\x1f\x7f]")


def is_allowed_return_url(url: object, origins: Collection[str]) -> bool:
    """Whether scheme, host and port are those of an allowed origin. Braces in the query are fine: Stripe fills them in."""
    if not isinstance(url, str) or _TREACHEROUS.search(url):
        return False
    found = _origin(url)
    return found is not None and found in {_origin(one) for one in origins}


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port is None or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port
