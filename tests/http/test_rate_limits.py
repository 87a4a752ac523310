"""Moving windows in Valkey and in the process (contract.md section 1, "rate limits"; trust.md 1.4)."""

from __future__ import annotations

import math
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from jiki_auth.testing import make_user, signed_in
from jiki_core.cache import connect
from jiki_core.configuration import CoreSettings
from jiki_core.errors import TooManyAttempts
from jiki_core.http.mounts import Mounted
from jiki_core.http.rate_limits import (
    UNLIKE_PRODUCTION,
    Limit,
    RateLimiter,
    class_limits,
    class_of,
    network_of,
    rate_class,
)
from jiki_core.runtime import runtime_of
from jiki_core.security import Identity, public
from jiki_core.testing import ApiClient, wait_until

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
    limits = class_limits(CoreSettings(env="production"))
    assert {limit.seconds for limit in limits.values()} == {60}
    assert limits["read"].amount >= 240
    assert limits["anonymous"].amount >= 240
    assert limits["write"].amount >= 60
    assert limits["auth"].amount >= 10


def test_an_operators_figure_counts_everywhere_and_the_usual_one_in_production_only():
    assert class_limits(CoreSettings(env="test", read_requests_per_minute=7))["read"].amount == 7
    usual = class_limits(CoreSettings(env="production"))["read"].amount
    assert class_limits(CoreSettings(env="development"))["read"].amount == usual * UNLIKE_PRODUCTION


def test_counting_a_request_counts_down_and_then_refuses(either):
    three = Limit("three", 3, 60)
    told = [either.count(three, "a") for _ in range(5)]
    assert [(counted, usage.remaining) for counted, usage in told] == [
        (True, 2),
        (True, 1),
        (True, 0),
        (False, 0),
        (False, 0),
    ]
    assert all(1 <= usage.resets_in_seconds <= 60 for _, usage in told)
    assert either.count(three, "b")[0]


def test_a_counted_request_is_forgotten_when_the_window_has_moved_on(either):
    one = Limit("one", 1, 1)
    assert either.count(one, "a")[0]
    assert not either.count(one, "a")[0]
    wait_until(lambda: either.count(one, "a")[0])


def test_parallel_requests_of_two_processes_admit_exactly_as_many_as_allowed(db, limiter):
    at = runtime_of(db)
    other = RateLimiter(connect(at.settings.redis_url.reveal()), at.settings)
    limit = Limit("hundred", 100, 60)
    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(lambda number: (limiter, other)[number % 2].count(limit, "a")[0], range(1_000)))
    assert sum(admitted) == 100


def test_a_request_costs_one_call_of_valkey(db, limiter):
    client = runtime_of(db).redis
    limiter.count(TEN, "a")
    before = client.info("commandstats")
    for _ in range(20):
        limiter.count(TEN, "a")
    after = client.info("commandstats")
    assert after["cmdstat_evalsha"]["calls"] - before["cmdstat_evalsha"]["calls"] == 20


def test_what_is_counted_leaves_valkey_after_the_window(db, limiter):
    limiter.count(TEN, "a")
    (key,) = runtime_of(db).redis.keys("jiki:limit:ten:*")
    assert 0 < runtime_of(db).redis.pttl(key) <= 60_000


@pytest.fixture
def strict(app_with):
    """An app with small limits."""
    figures = {"ANONYMOUS": 4, "READ": 3, "WRITE": 2, "AUTH": 5, "EXPENSIVE": 1}
    chosen = {f"JIKI_{name}_REQUESTS_PER_MINUTE": str(amount) for name, amount in figures.items()}
    built = app_with("auth", "learning", **chosen)
    runtime_of(built).redis.flushdb()
    return built


def statuses(client, count, method, path, **options):
    return [client.call(method, path, **options).status for _ in range(count)]


def test_reads_and_writes_of_a_user_are_limited_apart(strict):
    client, other = signed_in(strict), signed_in(strict)
    assert statuses(client, 4, "GET", "internal/me") == [200, 200, 200, 429]
    assert statuses(client, 3, "PATCH", "internal/settings/name", json={"value": "Ada"}) == [200, 200, 429]
    other.get("internal/me").expect(200)


def test_a_refusal_is_the_contracts_envelope(strict):
    client = signed_in(strict)
    answer = [client.get("internal/me") for _ in range(4)][-1]
    assert answer.status == 429
    assert answer.error == {"type": "rate_limited"}
    assert answer.body["meta"] == {"events": []}
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_headers_count_down_on_successes_and_refusals(strict):
    client = signed_in(strict)
    answers = [client.get("internal/me") for _ in range(4)]
    told = [re.fullmatch(r'"read";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in answers]
    assert [int(match[1]) for match in told if match] == [2, 1, 0, 0]
    assert all(match and 1 <= int(match[2]) <= 60 for match in told)
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"read";q=3;w=60'}


def test_a_page_may_read_the_headers(strict):
    answer = signed_in(strict).get("internal/me", headers={"Origin": "http://localhost:3061"})
    exposed = {one.strip() for one in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= exposed


def test_auth_is_limited_by_network(strict):
    stranger = ApiClient(strict)
    body = {"user": {"email": "nobody@example.test"}}
    assert statuses(stranger, 6, "POST", "auth/confirmation", json=body) == [200] * 5 + [429]
    from_elsewhere = ApiClient(strict, {"CF-Connecting-IP": "203.0.113.9"})
    from_elsewhere.post("auth/confirmation", body).expect(200)


def test_a_made_up_forwarding_header_does_not_make_another_visitor(app_with):
    app = app_with("auth", JIKI_AUTH_REQUESTS_PER_MINUTE="1", JIKI_TRUSTED_PROXIES="192.0.2.0/24")
    runtime_of(app).redis.flushdb()
    body = {"user": {"email": "nobody@example.test"}}
    answers = [
        ApiClient(app, {"X-Forwarded-For": f"203.0.113.{number}"}).post("auth/confirmation", body).status
        for number in range(2)
    ]
    assert answers == [200, 429]


def test_refused_credentials_are_counted_too(strict):
    guesser = ApiClient(strict, {"Authorization": "Bearer made-up"})
    assert statuses(guesser, 5, "GET", "internal/me") == [401] * 4 + [429]


def test_what_a_role_refuses_is_counted_for_the_user(strict):
    assert statuses(signed_in(strict), 4, "GET", "admin/users") == [403] * 3 + [429]


def test_a_key_does_not_use_up_its_owners_browser(strict):
    user = make_user(strict)
    browser = signed_in(strict, user)
    made = browser.post("internal/api_keys", {"name": "CI", "scopes": ["auth.read_own_account"]}).expect(201)
    script = ApiClient(strict, {"Authorization": f"Bearer {made.body['api_key']['key']}"})
    assert statuses(script, 4, "GET", "internal/me") == [200, 200, 200, 429]
    browser.get("internal/me").expect(200)


@pytest.mark.parametrize("path", ["/health-check", "/api/v1/external/concepts/no-such-concept"])
def test_probes_and_the_clients_own_server_are_not_limited(strict, path):
    answers = [strict.test_client().get(path) for _ in range(8)]
    assert 429 not in {answer.status_code for answer in answers}
    assert "RateLimit" not in answers[0].headers


def test_preflights_are_not_counted(strict):
    headers = {"Origin": "http://localhost:3061", "Access-Control-Request-Method": "GET"}
    for _ in range(8):
        assert strict.test_client().options("/api/v1/internal/me", headers=headers).status_code == 200
    signed_in(strict).get("internal/me").expect(200)


def test_without_valkey_requests_are_still_counted(app_with):
    app = app_with("auth", JIKI_READ_REQUESTS_PER_MINUTE="3", REDIS_URL="redis://127.0.0.1:1/0")
    assert statuses(signed_in(app), 4, "GET", "internal/me") == [200, 200, 200, 429]


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


class Windows(RuleBasedStateMachine):
    """The limiter beside the simplest model of a moving window: a list of moments, counted anew each time."""

    LIMITS = (Limit("few", 3, 10), Limit("some", 7, 60))

    def __init__(self) -> None:
        super().__init__()
        self.limiter = RateLimiter(connect("redis://127.0.0.1:1/0"), CoreSettings(env="test"))
        self.limiter._shared_again_at = math.inf  # the windows of the process; Valkey's clock cannot be turned
        self.now = 1_800_000_000.0
        self.moments: dict[tuple[str, str], list[float]] = {}

    @rule(seconds=st.floats(0.1, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(limit=st.sampled_from(LIMITS), subject=st.sampled_from("ab"))
    def count(self, limit: Limit, subject: str) -> None:
        within = [one for one in self.moments.get((limit.name, subject), []) if one > self.now - limit.seconds]
        with time_machine.travel(self.now, tick=False):
            counted, usage = self.limiter.count(limit, subject)
        assert counted is (len(within) < limit.amount)
        if counted:
            within.append(self.now)
        self.moments[limit.name, subject] = within
        assert usage.remaining == limit.amount - len(within)
        assert 1 <= usage.resets_in_seconds <= limit.seconds


TestWindows = Windows.TestCase
TestWindows.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
