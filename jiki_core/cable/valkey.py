"""Valkey as the cable uses it: short waits, few connections, and a quick no while it is away."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

T = TypeVar("T")
P = ParamSpec("P")
#: connections for commands of one process, beside the subscriber's
_CONNECTIONS = 16
#: how long a command may wait for a connection, and then for its answer
_WAIT_SECONDS = 0.5
#: after a failure others are refused at once for this long, so that sockets do not queue up behind it
_PAUSE_SECONDS = 0.5


class ValkeyUnavailable(Exception):
    """No answer, or none in time."""


class Valkey:
    """Connects at the first command of a process, hence after a fork."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._process: int | None = None
        self._client: redis.Redis | None = None
        self._places = threading.BoundedSemaphore(_CONNECTIONS)
        self._refuse_until = 0.0

    def call(self, command: Callable[Concatenate[redis.Redis, P], T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """Runs `command(client, …)`. Raises ValkeyUnavailable, after some two seconds at most."""
        if time.monotonic() < self._refuse_until:
            raise ValkeyUnavailable("Valkey did not answer a moment ago")
        if not self._places.acquire(timeout=_WAIT_SECONDS):
            raise ValkeyUnavailable("all connections to Valkey are busy")
        try:
            return command(self._connected(), *arguments, **named)
        except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError) as error:
            self._refuse_until = time.monotonic() + _PAUSE_SECONDS
            raise ValkeyUnavailable(str(error)) from error
        except redis.RedisError as error:
            raise ValkeyUnavailable(str(error)) from error
        finally:
            self._places.release()

    def subscriber(self) -> PubSub:
        """A connection of its own for pub/sub; it reports every loss instead of reconnecting by itself."""
        client: Any = self._open(Retry(NoBackoff(), 0), max_connections=1)
        return cast(PubSub, client.pubsub())

    def close(self) -> None:
        """Ends the connections for commands; a later call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
            if client is not None and self._process == os.getpid():
                client.close()

    def _connected(self) -> redis.Redis:
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._process = os.getpid()
                # one retry: a connection that the server closed while idle
                self._client = self._open(Retry(NoBackoff(), 1), max_connections=_CONNECTIONS)
            return self._client

    def _open(self, retry: Retry, **options: Any) -> redis.Redis:
        return redis.Redis.from_url(
            self._url,
            socket_timeout=_WAIT_SECONDS,
            socket_connect_timeout=_WAIT_SECONDS,
            retry=retry,
            **options,
        )
