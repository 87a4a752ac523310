"""Rate limits: moving windows in Valkey, and in this process while Valkey is away, so that a limit is never simply open.

Two uses: classes of routes (contract.md section 1, "rate limits"), which the guard counts with one script call before a
view; and attempts at something secret, such as a password, which a plugin reserves first and gives back on success.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import redis
from flask import Response, current_app, g, request
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from limits.util import WindowStats

from jiki_core.configuration import CoreSettings, derived_key
from jiki_core.errors import RateLimited, TooManyAttempts
from jiki_core.http.addresses import client_address
from jiki_core.http.mounts import Mounted
from jiki_core.observability import counter, get_logger
from jiki_core.runtime import runtime
from jiki_core.security import Identity

log = get_logger(__name__)
T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., Any])

RateClass = Literal["anonymous", "read", "write", "auth", "expensive", "unlimited"]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: after a failure Valkey is not asked for this long, so that its time-outs do not add up
PAUSE_SECONDS = 1.0
#: in development and tests everybody comes from one address
UNLIKE_PRODUCTION = 100
KEY_PREFIX = "jiki:limit"

#: one key holds the milliseconds of what was counted, oldest first. Valkey's own clock, so that hosts need not agree;
#: a list of integers takes about ten bytes an entry. Answers (counted?, left, milliseconds until the oldest is out)
COUNT_SCRIPT = """
local key, amount, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local oldest = redis.call('LINDEX', key, 0)
while oldest and tonumber(oldest) <= now - window do
  redis.call('LPOP', key)
  oldest = redis.call('LINDEX', key, 0)
end
local used, counted = redis.call('LLEN', key), 0
if used < amount then
  redis.call('RPUSH', key, string.format('%.0f', now))
  redis.call('PEXPIRE', key, window)
  used, counted = used + 1, 1
end
return {counted, amount - used, (tonumber(oldest) or now) + window - now}
"""

_fallbacks = counter("jiki_rate_limiter_errors_total", "Limits counted in the process because Valkey was away")
_refusals = counter("jiki_rate_limited_total", "Requests and attempts refused by a limit", ["limiter"])


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` within any `seconds`, per subject. `name` is part of the stored key and of the headers."""

    name: str
    amount: int
    seconds: int

    @property
    def item(self) -> RateLimitItemPerSecond:
        return RateLimitItemPerSecond(self.amount, self.seconds, namespace=self.name)


@dataclass(frozen=True, slots=True)
class Usage:
    """How a subject stands with a limit."""

    limit: Limit
    remaining: int
    resets_in_seconds: int


def class_limits(settings: CoreSettings) -> Mapping[RateClass, Limit]:
    """What the operator set; else production's figures, and elsewhere so many that one machine's tests never meet them."""
    figures: Mapping[RateClass, tuple[int, int]] = {
        "anonymous": (settings.anonymous_requests_per_minute, 300),
        "read": (settings.read_requests_per_minute, 300),
        "write": (settings.write_requests_per_minute, 120),
        "auth": (settings.auth_requests_per_minute, 60),
        "expensive": (settings.expensive_requests_per_minute, 20),
    }
    factor = 1 if settings.is_production else UNLIKE_PRODUCTION
    return {name: Limit(name, own or usual * factor, 60) for name, (own, usual) in figures.items()}


class _ReleasingRedis(RedisStorage):
    """`limits`' storage, plus giving an entry back."""

    def release(self, key: str) -> None:
        self.storage.lpop(self.prefixed_key(key))


class _ReleasingMemory(MemoryStorage):
    """The same in the process."""

    def release(self, key: str) -> None:
        with self.locks[key]:
            if self.events.get(key):
                del self.events[key][0]


class RateLimiter:
    """Counts by limit and subject. Subjects are stored as keyed digests: no address or e-mail lies in Valkey."""

    def __init__(self, client: redis.Redis, settings: CoreSettings) -> None:
        self._shared = _ReleasingRedis("redis://", connection_pool=client.connection_pool, key_prefix=KEY_PREFIX)
        self._own = _ReleasingMemory()
        self._count = client.register_script(COUNT_SCRIPT)
        #: by class of route
        self.classes = class_limits(settings)
        self._key = derived_key(settings, "rate-limits")
        self._shared_again_at = 0.0

    def count(self, limit: Limit, subject: str) -> tuple[bool, Usage]:
        """`hit` and `usage` in one round trip, on a key of its own."""
        digest = self._digest(subject)

        def shared() -> tuple[bool, Usage]:
            key, window = f"{KEY_PREFIX}:{limit.name}:{digest}", limit.seconds * 1_000
            counted, left, milliseconds = self._count(keys=[key], args=[limit.amount, window])
            return bool(counted), Usage(limit, max(0, left), max(1, math.ceil(milliseconds / 1_000)))

        def own() -> tuple[bool, Usage]:
            window = MovingWindowRateLimiter(self._own)
            counted = window.hit(limit.item, digest)
            return counted, _usage(limit, window.get_window_stats(limit.item, digest))

        return self._either(shared, own)

    def hit(self, limit: Limit, subject: str) -> bool:
        """Counts one, unless that would exceed the limit; tells whether it was counted."""
        return self._call(lambda storage: MovingWindowRateLimiter(storage).hit(limit.item, self._digest(subject)))

    def release(self, limit: Limit, subject: str) -> None:
        """Gives one back that `hit` counted."""
        key = limit.item.key_for(self._digest(subject))
        self._call(lambda storage: cast("_ReleasingRedis | _ReleasingMemory", storage).release(key))

    def clear(self, limit: Limit, subject: str) -> None:
        """Forgets what was counted."""
        self._call(lambda storage: MovingWindowRateLimiter(storage).clear(limit.item, self._digest(subject)))

    def usage(self, limit: Limit, subject: str) -> Usage:
        """Without counting."""
        stats = self._call(
            lambda storage: MovingWindowRateLimiter(storage).get_window_stats(limit.item, self._digest(subject))
        )
        return _usage(limit, stats)

    def attempt(self, *counted: tuple[Limit, str]) -> Attempt:
        """Reserves one in each (limit, subject), or none: raises TooManyAttempts when one of them is used up."""
        reserved: list[tuple[Limit, str]] = []
        for limit, subject in counted:
            if self.hit(limit, subject):
                reserved.append((limit, subject))
                continue
            wait = self.usage(limit, subject).resets_in_seconds
            self._give_back(reserved)
            _refusals.labels(limit.name).inc()
            raise TooManyAttempts(retry_after_seconds=wait)
        return Attempt(self, tuple(reserved))

    def _give_back(self, reserved: Iterable[tuple[Limit, str]]) -> None:
        for limit, subject in reserved:
            self.release(limit, subject)

    def _digest(self, subject: str) -> str:
        return hashlib.blake2s(subject.encode(), key=self._key, digest_size=16).hexdigest()

    def _call(self, ask: Callable[[RedisStorage | MemoryStorage], T]) -> T:
        return self._either(lambda: ask(self._shared), lambda: ask(self._own))

    def _either(self, shared: Callable[[], T], own: Callable[[], T]) -> T:
        """Valkey's answer, or this process's own while Valkey is away."""
        if time.monotonic() >= self._shared_again_at:
            try:
                return shared()
            except redis.RedisError as error:
                self._shared_again_at = time.monotonic() + PAUSE_SECONDS
                log.warning("rate_limits_in_process", error=type(error).__name__)
        _fallbacks.inc()
        return own()


def _usage(limit: Limit, stats: WindowStats) -> Usage:
    seconds = max(1, math.ceil(stats.reset_time - time.time()))
    return Usage(limit, max(0, stats.remaining), min(seconds, limit.seconds))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A reserved attempt; it stays counted unless it is given back."""

    limiter: RateLimiter
    reserved: Sequence[tuple[Limit, str]]

    def give_back(self) -> None:
        """After a success, or when the attempt could not be made: only failures count."""
        for limit, subject in self.reserved:
            self.limiter.release(limit, subject)


def rate_limiter() -> RateLimiter:
    """The current app's limiter."""
    limiter: RateLimiter | None = current_app.extensions.get("jiki.rate_limiter")
    if limiter is None:
        limiter = current_app.extensions["jiki.rate_limiter"] = RateLimiter(runtime().redis, runtime().settings)
    return limiter


def rate_class(name: RateClass) -> Callable[[View], View]:
    """Puts a route into another class than its audience and method give it; `unlimited` takes it out."""

    def mark(view: View) -> View:
        view.jiki_rate_class = name  # type: ignore[attr-defined]  # read by class_of
        return view

    return mark


def class_of(mounted: Mounted, method: str, identity: Identity | None, view: object) -> RateClass:
    """The class of a request: the route's own, else by audience, method and whether somebody is signed in."""
    own: RateClass | None = getattr(view, "jiki_rate_class", None)
    if own is not None:
        return own
    if mounted.audience in ("webhooks", "core"):
        return "unlimited"
    if mounted.audience == "auth":
        return "auth"
    if identity is None:
        return "anonymous"
    return "read" if method in SAFE_METHODS else "write"


def check_rate(mounted: Mounted, identity: Identity | None) -> None:
    """Counts the current request against its class; raises RateLimited. Called by the guard when the policy was asked.

    People are counted by user and kind of credential, so that a script with a key does not shut its owner's browser out;
    strangers, and all of auth, by network.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    name = class_of(mounted, request.method, identity, view)
    if name == "unlimited":
        return
    limiter = rate_limiter()
    limit = limiter.classes[name]
    if identity is None or name in ("anonymous", "auth"):
        subject = f"network:{network_of(client_address())}"
    else:
        subject = f"{identity.method}:{identity.user_id}"
    is_allowed, usage = limiter.count(limit, subject)
    g.jiki_rate_usage = usage
    if not is_allowed:
        _refusals.labels(limit.name).inc()
        raise RateLimited(retry_after_seconds=usage.resets_in_seconds)


def add_rate_headers(response: Response) -> Response:
    """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) of what `check_rate` counted."""
    usage: Usage | None = g.get("jiki_rate_usage")
    if usage is not None:
        name = usage.limit.name
        response.headers["RateLimit-Policy"] = f'"{name}";q={usage.limit.amount};w={usage.limit.seconds}'
        response.headers["RateLimit"] = f'"{name}";r={usage.remaining};t={usage.resets_in_seconds}'
    return response


def network_of(address: str) -> str:
    """What counts as one visitor: an IPv4 address, or the /64 of an IPv6 one, which one household has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network(f"{parsed}/64", strict=False))
