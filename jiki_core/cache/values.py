"""Cached values: bytes under a key for some seconds. What is kept here can be rebuilt or may be lost."""

from __future__ import annotations

from typing import cast

import redis

from jiki_core.observability import counter, get_logger
from jiki_core.runtime import runtime

log = get_logger(__name__)
_PREFIX = "jiki:cache:"
_requests = counter("jiki_cache_requests_total", "Look-ups in the cache", ["result"])


def remember(key: str, value: bytes, ttl_seconds: int) -> None:
    """Keeps a value; without Valkey it is simply not kept."""
    try:
        runtime().redis.set(_PREFIX + key, value, ex=ttl_seconds)
    except redis.RedisError as error:
        log.info("cache_unavailable", error=type(error).__name__)


def recall(key: str) -> bytes | None:
    """The value, or None when it is not kept or Valkey is away."""
    try:
        found = cast("bytes | None", runtime().redis.get(_PREFIX + key))
    except redis.RedisError:
        _requests.labels("error").inc()
        return None
    _requests.labels("miss" if found is None else "hit").inc()
    return found


def forget(*keys: str) -> None:
    """Drops values, so that the next look-up is a miss."""
    try:
        runtime().redis.delete(*(_PREFIX + key for key in keys))
    except redis.RedisError as error:
        log.info("cache_unavailable", error=type(error).__name__)
