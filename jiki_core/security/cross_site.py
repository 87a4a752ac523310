"""The cross-site rule for unsafe requests that carry no token of their own (architecture.md section 7)."""

from __future__ import annotations

from collections.abc import Collection


def is_cross_site(origin: str | None, fetch_site: str | None, allowed_origins: Collection[str]) -> bool:
    """Whether a page we do not trust sent the request.

    `Origin` present: allow-listed or ours, else yes (`null` too). Absent: `Sec-Fetch-Site` must be `same-origin` or
    `none`. Both absent: no browser page, hence no.
    """
    if origin is not None:
        return origin not in allowed_origins
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    return False
