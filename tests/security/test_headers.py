"""Headers that protect a browser, on every route of every plugin, errors included (trust.md 1.4)."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from jiki_auth.testing import signed_in
from jiki_core.testing import ApiClient
from tests.security.operations import operations

#: header -> what its value must match; pages of ours may allow their own styles, and may say even less to others
EXPECTED = {
    "X-Content-Type-Options": r"nosniff",
    "Referrer-Policy": r"strict-origin-when-cross-origin|no-referrer",
    "Content-Security-Policy": r"default-src 'none';.* frame-ancestors 'none'.*",
    "Cache-Control": r".+",
    "X-Request-Id": r"[A-Za-z0-9-]{8,64}",
}
#: origins that look like ours
FOREIGN = (
    "http://localhost:3061.evil.example",
    "http://evil.example",
    "https://localhost:3061",
    "http://localhost:3062",
    "null",
)


@pytest.fixture(params=["stranger", "learner"])
def caller(request, db: Flask) -> ApiClient:
    return ApiClient(db) if request.param == "stranger" else signed_in(db)


def test_every_answer_tells_browsers_to_be_careful(db: Flask, caller: ApiClient):
    wrong = []
    for operation in operations(db):
        headers = caller.call(operation.method, operation.path("1")).headers
        missing = [name for name, value in EXPECTED.items() if not re.fullmatch(value, headers.get(name, ""))]
        if missing or "Server" in headers:
            wrong.append(f"{operation}: {missing} {dict(headers)}")
    assert wrong == []


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_route_lets_a_foreign_page_read_its_answer(db: Flask, origin: str):
    client = signed_in(db)
    told = [
        str(operation)
        for operation in operations(db)
        if "Access-Control-Allow-Origin"
        in client.call(operation.method, operation.path("1"), headers={"Origin": origin}).headers
    ]
    assert told == []


def test_in_production_browsers_stay_with_https(make_app):
    settings = {
        "JIKI_ENV": "production",
        "JIKI_SECRET_KEY": "x" * 48,
        "JIKI_PUBLIC_URL": "https://api.example.test",
        "JIKI_FRONTEND_URL": "https://example.test",
    }
    answer = make_app(settings=settings).test_client().get("/api/v1/internal/me")
    assert answer.status_code == 401
    assert "max-age=63072000; includeSubDomains" in answer.headers["Strict-Transport-Security"]
