"""The envelope, cookies across sites, headers and caching (contract.md sections 1 and 2.1, architecture.md section 7)."""

from __future__ import annotations

import pytest

from jiki_auth.testing import make_user, signed_in
from jiki_core.testing import ApiClient


def test_success_has_meta_with_events(db):
    assert signed_in(db).get("internal/me").body["meta"] == {"events": []}


def test_a_stranger_gets_the_one_error_without_meta(client):
    body = client.get("internal/me").expect(401, "unauthenticated").body
    assert body.keys() == {"error", "request_id"}


def test_other_errors_have_meta(client):
    body = client.get("/api/v1/internal/nothing").expect(404, "not_found").body
    assert body["meta"] == {"events": []}


@pytest.mark.parametrize(
    ("method", "path", "symbol"),
    [
        ("GET", "admin/nothing", "not_found"),
        ("GET", "webhooks/stripe", "method_not_allowed"),
        ("PUT", "admin", "not_found"),
    ],
)
def test_refusals_under_admin_and_webhooks_have_no_meta_even_where_no_route_is(client, method, path, symbol):
    answer = client.call(method, path)
    assert answer.error["type"] == symbol
    assert answer.body.keys() == {"error", "request_id"}


def test_a_request_id_is_taken_when_well_formed_and_echoed(client):
    answer = client.get("internal/me", headers={"X-Request-Id": "abcdef-123456"})
    assert answer.headers["X-Request-Id"] == answer.body["request_id"] == "abcdef-123456"


@pytest.mark.parametrize("offered", ["short", "with blanks in it", "x" * 65, '\\r\\n{"level":"x"}'])
def test_a_malformed_request_id_is_replaced(client, offered):
    answer = client.get("internal/me", headers={"X-Request-Id": offered})
    assert answer.headers["X-Request-Id"] != offered
    assert len(answer.headers["X-Request-Id"]) == 32


def test_problem_json_only_when_asked_for_by_name(client):
    plain = client.get("internal/me", headers={"Accept": "*/*"})
    assert plain.headers["Content-Type"] == "application/json; charset=utf-8"
    problem = client.get("internal/me", headers={"Accept": "application/problem+json"})
    assert problem.headers["Content-Type"] == "application/problem+json"
    body = problem.body or problem.response.get_json(force=True)
    assert body["type"] == "urn:jiki:error:unauthenticated"
    assert body["status"] == 401
    assert body["error"]["type"] == "unauthenticated"


SAME_SITE = {"Origin": "http://localhost:3061", "Sec-Fetch-Site": "same-site"}


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        (SAME_SITE, False),
        ({"Origin": "http://localhost:3060"}, False),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "http://localhost:3061.evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({}, False),
    ],
)
def test_the_cross_site_rule(client, db, headers, is_refused):
    user = make_user(db)
    body = {"user": {"email": user.email, "password": user.password}}
    answer = client.post("auth/login", body, headers=headers)
    if is_refused:
        answer.expect(403, "csrf_failed")
    else:
        answer.expect(200)


def test_safe_methods_are_never_cross_site(db):
    signed_in(db).get("internal/me", headers={"Origin": "http://evil.example"}).expect(200)


def test_cors_echoes_allowed_origins_exactly(client):
    answer = client.call(
        "OPTIONS",
        "internal/me",
        headers={
            **SAME_SITE,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "content-type,x-anything",
        },
    )
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3061"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert "x-anything" in answer.headers["Access-Control-Allow-Headers"].lower()
    assert {"PUT", "PATCH", "DELETE"} <= {
        one.strip() for one in answer.headers["Access-Control-Allow-Methods"].split(",")
    }


@pytest.mark.parametrize("path", ["internal/user_levels/using-functions/complete", "auth/exercism", "nothing"])
def test_a_preflight_of_a_route_that_is_not_there_passes_so_that_the_page_can_read_the_404(client, path):
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type"}
    answer = client.call("OPTIONS", path, headers={**SAME_SITE, **asked})
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3061"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    client.call("PATCH", path, headers=SAME_SITE).expect(404, "not_found")


def test_an_options_request_that_is_no_preflight_is_a_request_like_others(client):
    client.call("OPTIONS", "nothing").expect(404, "not_found")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://localhost:3061", "null", "http://localhost:3061.evil.example"]
)
def test_cors_says_nothing_to_others(client, origin):
    answer = client.get("internal/me", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


def test_cors_headers_are_on_errors_too(client):
    answer = client.get("internal/me", headers=SAME_SITE).expect(401)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3061"
    exposed = {one.strip() for one in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"Retry-After", "ETag", "X-Request-Id"} <= exposed


def test_a_get_has_an_etag_and_answers_304(db):
    client = signed_in(db)
    first = client.get("internal/me").expect(200)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get("internal/me", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert not again.response.data


def test_no_shared_cache_may_keep_an_answer_that_sets_somebodys_cookie(client, db):
    assert client.get("internal/courses").expect(200).headers["Cache-Control"].startswith("public, max-age=")
    answer = signed_in(db).get("internal/courses").expect(200)
    assert answer.headers["Set-Cookie"].startswith("jiki_user_id_")
    assert answer.headers["Cache-Control"].startswith("private, max-age=")


@pytest.mark.parametrize("path", ["internal/me", "internal/nothing", "auth/login"])
def test_security_headers_are_everywhere(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Referrer-Policy"]


def test_an_empty_body_is_no_body_whatever_its_type(db):
    client = signed_in(db)
    answer = client.call("PATCH", "internal/notifications/read", headers={"Content-Type": "application/json"})
    answer.expect(200)
    client.call("PATCH", "internal/notifications/read", headers={"Content-Type": "text/plain"}).expect(200)


def test_pagination_defaults_and_limits(db):
    client = signed_in(db)
    assert client.get("internal/notifications").body["meta"]["current_page"] == 1
    assert client.get("internal/notifications?page=0&per=").body["meta"]["current_page"] == 1
    answer = client.get("internal/notifications?per=101").expect(422, "validation_error")
    assert answer.error["errors"] == {"per": [{"error": "less_than_or_equal_to", "count": 100}]}


def test_the_openapi_document_is_3_1_and_its_page_needs_no_cdn(db):
    client = ApiClient(db)
    assert client.get("/openapi/v1.json").body["openapi"] == "3.1.0"
    page = client.http.get("/openapi/docs").get_data(as_text=True)
    assert "https://" not in page
    assert "http://" not in page
    with client.http.get("/openapi/assets/swagger-ui-bundle.js") as script:
        assert script.status_code == 200


def test_health_metrics_and_plugins_answer(client):
    assert client.get("/health-check").body == {"ruok": True}
    assert client.get("/health/live").status == 200
    assert "http_server_request_duration_seconds" in client.http.get("/metrics").get_data(as_text=True)
    assert client.get("/-/plugins").body["plugins"]["auth"]["state"] == "running"
