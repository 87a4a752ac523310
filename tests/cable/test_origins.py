"""Which pages may open a socket."""

from __future__ import annotations

import pytest

from jiki_core.cable.origins import is_origin_allowed

ALLOWED = ("https://jiki.example", "http://localhost:3061", "https://*.preview.example")
OURS = {"wsgi.url_scheme": "https", "HTTP_HOST": "api.jiki.example"}


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://jiki.example", True),
        ("http://localhost:3061", True),
        ("https://api.jiki.example", True),
        ("https://pr-7.preview.example", True),
        ("http://jiki.example", False),
        ("https://jiki.example:8443", False),
        ("https://jiki.example.evil.example", False),
        ("https://evil-jiki.example", False),
        ("https://preview.example", False),
        ("https://evilpreview.example", False),
        ("http://pr-7.preview.example", False),
        ("http://api.jiki.example", False),
        ("null", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("has_token", [True, False])
def test_only_our_own_and_listed_origins(origin: str, is_allowed: bool, has_token: bool) -> None:
    environ = {**OURS, "HTTP_ORIGIN": origin, "HTTP_COOKIE": "jiki_session=x"}
    assert is_origin_allowed(environ, ALLOWED, has_token=has_token) is is_allowed


@pytest.mark.parametrize(
    ("cookie", "has_token", "is_allowed"), [(True, True, True), (True, False, False), (False, False, True)]
)
def test_without_an_origin_a_cookie_alone_does_not_do(cookie: bool, has_token: bool, is_allowed: bool) -> None:
    environ = {**OURS, **({"HTTP_COOKIE": "jiki_session=x"} if cookie else {})}
    assert is_origin_allowed(environ, ALLOWED, has_token=has_token) is is_allowed
