"""Which pages may open a socket, decided before the upgrade (architecture.md 7, realtime.md 1.11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def is_origin_allowed(environ: Mapping[str, Any], allowed: Collection[str], *, has_token: bool) -> bool:
    """Whether the handshake's Origin may open a socket.

    Present: our own, listed, or matching a listed `https://*.example.com`; `null` never. Absent: only with a
    token, because a cookie would be sent by any page.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return has_token or "HTTP_COOKIE" not in environ
    if origin == f"{environ.get('wsgi.url_scheme')}://{environ.get('HTTP_HOST')}":
        return True
    return any(_matches(str(origin), pattern) for pattern in allowed)


def _matches(origin: str, pattern: str) -> bool:
    scheme, separator, host = pattern.partition("://*.")
    if not separator:
        return origin == pattern
    prefix = f"{scheme}://"
    return origin.startswith(prefix) and origin.removeprefix(prefix).endswith(f".{host}")
