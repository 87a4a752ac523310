"""Connections to Valkey (or Redis), with time-outs that keep a hanging server from hanging us."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, *, timeout_seconds: float = 0.25) -> redis.Redis:
    """A client with its own pool; connects at the first command. Answers are bytes."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 1),  # one retry: a connection that the server closed while idle
        health_check_interval=30,
    )
