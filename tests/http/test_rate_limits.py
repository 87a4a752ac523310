"""Moving windows in Valkey and in the process (contract.md section 1, "rate limits"; trust.md 1.4)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine

from jiki_core.cache import connect
from jiki_core.errors import RateLimited, TooManyAttempts
from jiki_core.http.mounts import Mounted
from jiki_core.http.rate_limits import (
    CLASSES,
    Limit,
    RateLimiter,
    add_rate_headers,
    check_rate,
    class_of,
    network_of,
    rate_class,
)
from jiki_core.runtime import runtime_of
from jiki_core.security import Identity, public

TEN = Limit("ten", 10, 60)
SOMEBODY = Identity(7, "session")


@pytest.fixture
def limiter(db):
    at = runtime_of(db)
    return RateLimiter(at.redis, at.settings)


@pytest.fixture
def alone(db):
    """A limiter whose Valkey does not answer."""
    return RateLimiter(connect("redis://127.0.0.1:1/0"), runtime_of(db).settings)


@pytest.fixture(params=["shared", "alone"])
def either(request, limiter, alone):
    return {"shared": limiter, "alone": alone}[request.param]


def test_as_many_as_allowed_and_no_more(either):
    assert [either.hit(TEN, "a") for _ in range(12)] == [True] * 10 + [False] * 2
    assert either.hit(TEN, "b")


def test_the_window_moves(either):
    for _ in range(10):
        either.hit(TEN, "a")
    with time_machine.travel(time.time() + 61, tick=True):
        assert either.hit(TEN, "a")


def test_usage_counts_down(either):
    either.hit(TEN, "a")
    either.hit(TEN, "a")
    usage = either.usage(TEN, "a")
    assert usage.remaining == 8
    assert 1 <= usage.resets_in_seconds <= 60


def test_what_is_given_back_counts_no_more(either):
    for _ in range(20):
        either.attempt((TEN, "a")).give_back()
    assert either.usage(TEN, "a").remaining == 10


def test_an_attempt_reserves_all_or_none(either):
    for _ in range(10):
        either.hit(TEN, "full")
    with pytest.raises(TooManyAttempts) as refused:
        either.attempt((TEN, "free"), (TEN, "full"))
    assert 1 <= int(refused.value.headers()["Retry-After"]) <= 60
    assert either.usage(TEN, "free").remaining == 10


def test_cleared_is_forgotten(either):
    for _ in range(10):
        either.hit(TEN, "a")
    either.clear(TEN, "a")
    assert either.hit(TEN, "a")


def test_parallel_calls_of_two_processes_admit_exactly_as_many_as_allowed(db, limiter):
    at = runtime_of(db)
    other = RateLimiter(connect(at.settings.redis_url.reveal()), at.settings)
    limit = Limit("hundred", 100, 60)
    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(lambda number: (limiter, other)[number % 2].hit(limit, "a"), range(400)))
    assert sum(admitted) == 100


def test_a_valkey_that_is_away_is_not_asked_each_time(alone):
    started = time.monotonic()
    for _ in range(200):
        alone.hit(TEN, "a")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("audience", "method", "identity", "expected"),
    [
        ("auth", "POST", None, "auth"),
        ("auth", "DELETE", SOMEBODY, "auth"),
        ("external", "GET", None, "anonymous"),
        ("external", "GET", SOMEBODY, "read"),
        ("internal", "GET", SOMEBODY, "read"),
        ("internal", "PATCH", SOMEBODY, "write"),
        ("admin", "DELETE", SOMEBODY, "write"),
        ("webhooks", "POST", None, "unlimited"),
        ("core", "GET", None, "unlimited"),
    ],
)
def test_classes_of_routes(audience, method, identity, expected):
    assert class_of(Mounted("auth", audience, public), method, identity, None) == expected


def test_a_route_may_name_its_class():
    view = rate_class("unlimited")(lambda: None)
    assert class_of(Mounted("learning", "external", public), "GET", None, view) == "unlimited"


def test_the_web_clients_peaks_fit_in():
    """13 calls in 1 s, 113 in 60 s; writes 19 and auth 5 in 60 s (contract.md section 1)."""
    assert CLASSES["read"].amount >= 240
    assert CLASSES["anonymous"].amount >= 240
    assert CLASSES["write"].amount >= 60
    assert CLASSES["auth"].amount >= 10


def test_the_guard_counts_and_the_headers_tell(db):
    mounted, at = Mounted("auth", "auth", public), runtime_of(db)
    limit = CLASSES["auth"]
    with db.test_request_context("/api/v1/auth/login", method="POST", environ_base={"REMOTE_ADDR": "203.0.113.5"}):
        for number in range(limit.amount):
            check_rate(at, mounted, None)
            response = add_rate_headers(db.response_class())
            assert response.headers["RateLimit"].startswith(f'"auth";r={limit.amount - 1 - number};t=')
        assert response.headers["RateLimit-Policy"] == f'"auth";q={limit.amount};w=60'
        with pytest.raises(RateLimited) as refused:
            check_rate(at, mounted, None)
        assert add_rate_headers(db.response_class()).headers["RateLimit"].startswith('"auth";r=0;t=')
        assert 1 <= int(refused.value.headers()["Retry-After"]) <= 60


def test_nothing_is_told_of_what_is_not_limited(db):
    with db.test_request_context("/health-check"):
        check_rate(runtime_of(db), Mounted("core", "core", public), None)
        assert "RateLimit" not in add_rate_headers(db.response_class()).headers


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("junk", "junk"),
    ],
)
def test_what_counts_as_one_visitor(address, counted_as):
    assert network_of(address) == counted_as


def test_stored_keys_name_nobody(db, limiter):
    limiter.hit(TEN, "someone@example.test")
    assert not [key for key in runtime_of(db).redis.keys("*") if b"someone" in key]
