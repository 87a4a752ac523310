"""Junk on every route of every plugin: the envelope and the right 4xx, never a 500. The list is taken from the URL map."""

from __future__ import annotations

import json

import pytest

from jiki_auth.testing import make_user, signed_in

#: name -> (body, content type, statuses that are right for it)
BODIES = {
    "no JSON": (b"{", "application/json", {400}),
    "3,000 levels": (b"[" * 3000 + b"]" * 3000, "application/json", {400}),
    "a key twice": (b'{"user": 1, "user": 2}', "application/json", {400}),
    "bad UTF-8": (b'{"user": "\xff"}', "application/json", {400}),
    "a lone surrogate": (b'{"user": "\\ud800"}', "application/json", {400}),
    "NUL": (b'{"user": "\\u0000"}', "application/json", {400}),
    "a huge integer": (b'{"user": ' + b"9" * 400 + b"}", "application/json", {400}),
    "5 MB": (b'{"user": "' + b"x" * 5_000_000 + b'"}', "application/json", {413}),
    "another content type": (b"user=1", "application/x-www-form-urlencoded", {415}),
    "plain text": (b"hello", "text/plain", {415}),
}
#: bodies that are JSON but not what a route takes; a route without arguments ignores them
ODD_VALUES = {
    "a list": b"[]",
    "a string": b'"text"',
    "a number": b"17",
    "null": b"null",
    "nested": b'{"user": {"email": {"a": []}}, "submission": {"files": {"x": 1}}, "value": [], "percentage": "x"}',
    "wrong types": b'{"user": [], "submission": 5, "value": {}, "enabled": "maybe", "files": 1, "email": 1, "password": []}',
    "unknown fields": b'{"is_admin": true, "role": "admin", "id": 1}',
}


@pytest.fixture
def routes(app):
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/"):
            continue
        values = dict.fromkeys(rule.arguments, "1")
        path = app.url_map.bind("localhost").build(
            rule.endpoint, values, method=sorted(rule.methods - {"HEAD", "OPTIONS"})[0]
        )
        found += [(method, path, rule) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return found


@pytest.fixture
def client(db):
    return signed_in(db, make_user(db))


def is_envelope(answer):
    body = json.loads(answer.data)
    return isinstance(body["error"]["type"], str) and isinstance(body["request_id"], str)


def writing(routes):
    """Routes that read a JSON body; webhooks take raw bytes and uploads take forms."""
    return [(method, path) for method, path, _ in routes if method != "GET" and "/webhooks/" not in path]


def test_the_client_is_signed_in(client):
    client.get("internal/me").expect(200)


@pytest.mark.parametrize("kind", BODIES)
def test_unreadable_bodies_are_refused_everywhere(client, routes, kind):
    body, content_type, right = BODIES[kind]
    for method, path in writing(routes):
        answer = client.http.open(path, method=method, data=body, content_type=content_type)
        if answer.status_code in (403, 404) or "multipart" in answer.headers.get("X-Takes", ""):
            assert is_envelope(answer), (method, path)
            continue
        assert answer.status_code in right | {401, 403, 413, 415, 422}, (
            method,
            path,
            answer.status_code,
            answer.data[:300],
        )
        assert is_envelope(answer), (method, path)


@pytest.mark.parametrize("kind", ODD_VALUES)
def test_odd_values_never_break_anything(client, routes, kind):
    for method, path in writing(routes):
        answer = client.http.open(path, method=method, data=ODD_VALUES[kind], content_type="application/json")
        assert answer.status_code < 500, (method, path, answer.data[:500])
        if answer.status_code >= 400:
            assert is_envelope(answer), (method, path)
        if path.endswith("/auth/logout"):
            client.post("auth/login", {"user": {"email": "x@example.test", "password": "wrong wrong"}})


@pytest.mark.parametrize(
    "query", ["page=1&page=2", "a=%ff", "a=%00", "page=-1", "per=1e9", "per=999", "page=" + "9" * 30]
)
def test_odd_queries_never_break_anything(client, routes, query):
    for method, path, _rule in routes:
        if method != "GET":
            continue
        answer = client.http.get(f"{path}?{query}")
        assert answer.status_code < 500, (path, answer.data[:500])
        if query in ("page=1&page=2", "a=%ff", "a=%00"):
            assert answer.status_code in (400, 401, 403, 404), (path, answer.status_code)


@pytest.mark.parametrize(
    "value", ["%00", "%ff", "..%2f..", "x" * 5000, "9" * 40, "-1", "'; drop table users; --", "%F0%9F%98%80"]
)
def test_odd_path_parts_never_break_anything(client, routes, value):
    for method, _path, rule in routes:
        if not rule.arguments or "/webhooks/" in rule.rule:
            continue
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<{name}>", value).replace(f"<int:{name}>", value).replace(f"<path:{name}>", value)
        answer = client.http.open(path, method=method)
        assert answer.status_code < 500, (method, rule.rule, answer.data[:500])


def test_wrong_methods_and_unknown_paths_get_the_envelope(client, routes):
    for method, path, _rule in routes[:40]:
        wrong = "PUT" if method != "PUT" else "PATCH"
        answer = client.http.open(path, method=wrong)
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert is_envelope(answer), (wrong, path)
    answer = client.http.get("/api/v1/internal/nowhere")
    assert answer.status_code == 404
    assert json.loads(answer.data)["error"]["type"] == "not_found"
    answer = client.http.delete("/api/v1/internal/me")
    assert answer.status_code == 405
    assert json.loads(answer.data)["error"]["type"] == "method_not_allowed"
