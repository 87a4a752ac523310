"""ETag and Cache-Control on every GET (contract.md section 1, "caching")."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Request, Response, g

View = TypeVar("View", bound=Callable[..., Any])


def cache_publicly(*, max_age_seconds: int, stale_while_revalidate_seconds: int) -> Callable[[View], View]:
    """For answers that are the same for all: shared caches may keep them, but not with a cookie in the headers."""
    value = f"public, max-age={max_age_seconds}, stale-while-revalidate={stale_while_revalidate_seconds}"

    def decorate(view: View) -> View:
        @wraps(view)
        def cached(*args: Any, **kwargs: Any) -> Any:
            g.jiki_cache_control = value
            return view(*args, **kwargs)

        return cached  # type: ignore[return-value]  # the same signature

    return decorate


def never_cache(response: Response) -> Response:
    """For answers that carry a secret."""
    response.headers["Cache-Control"] = "no-store"
    return response


def make_cacheable(response: Response, incoming: Request) -> Response:
    """Gives a GET its ETag and Cache-Control, and answers 304 when the caller has it already."""
    if incoming.method not in ("GET", "HEAD"):
        response.headers.setdefault("Cache-Control", "no-store")
        return response
    ok = response.status_code == 200
    response.headers.setdefault("Cache-Control", g.get("jiki_cache_control", "private, no-cache") if ok else "no-store")
    if "Set-Cookie" in response.headers:  # kept by a shared cache, one visitor's cookie would go to the next
        response.headers["Cache-Control"] = response.headers["Cache-Control"].replace("public", "private", 1)
    if ok and not response.is_streamed and "no-store" not in response.headers["Cache-Control"]:
        if "ETag" not in response.headers:
            response.add_etag()
        response.make_conditional(incoming)
    return response
