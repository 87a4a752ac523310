"""The cable's client of tests: a socket in memory on an app's own cable, authenticated, served and ended like a real one."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import orjson
from flask import Flask

from jiki_core.cable import cable_of
from jiki_core.cable.protocol import Dialect
from jiki_core.cable.transport import Peer, TransportClosed
from jiki_core.testing.client import ApiClient

T = TypeVar("T")
_TEXT = 0x81
#: how long an answer may take; a subscribe waits four seconds for a paused plugin
ANSWER_SECONDS = 8.0


class SubscriptionRejected(AssertionError):
    """The cable rejected a subscription that a test made."""


class CableClient:
    """One socket of a signed-in user: `with CableClient(app, signed_in(app)) as cable: …`.

    `client` asks for the cable token; `token` is used instead where a test has one. Conversations run in a thread of
    their own, so tests need `committed_db`, unless their channels read no rows.
    """

    def __init__(
        self, app: Flask, client: ApiClient | None = None, *, token: str = "", dialect: Dialect = Dialect.EXTENDED
    ) -> None:
        if client is not None:
            token = client.post("internal/cable_token").expect(200).body["token"]
        self._wire = _Wire(dialect, f"jid={quote(token)}")
        self._thread = threading.Thread(
            target=cable_of(app).serve, args=(self._wire,), name="cable-test-client", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_welcome(self) -> bool:
        """Whether the server said welcome; False when it ended the socket instead."""
        first = self._wire.wait_for(lambda said: said[0] if said else None, "a first message")
        return bool(first["type"] == "welcome")

    @property
    def is_open(self) -> bool:
        """Neither side has ended the socket yet."""
        return self._wire.ended is None

    @property
    def ended(self) -> int | None:
        """The code with which the socket was closed; None while it is open."""
        return self._wire.ended

    @property
    def said(self) -> list[dict[str, Any]]:
        """All that the server said so far, pings left out."""
        return list(self._wire.said)

    def subscribe(self, channel: str, **params: Any) -> CableSubscription:
        """Subscribes and waits for the answer. Raises SubscriptionRejected."""
        subscription = CableSubscription(self._wire, orjson.dumps({"channel": channel, **params}).decode())
        answer = self._wire.ask(
            {"command": "subscribe", "identifier": subscription.identifier},
            lambda said: (
                said.get("identifier") == subscription.identifier
                and said.get("type") in ("confirm_subscription", "reject_subscription")
            ),
            f"an answer to the subscribe to {subscription.identifier}",
        )
        if answer["type"] == "reject_subscription":
            raise SubscriptionRejected(subscription.identifier)
        return subscription

    def disconnected(self, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """Waits until the server ends the socket; returns its `disconnect` message."""
        return self._wire.wait_for(
            lambda said: next((one for one in said if one.get("type") == "disconnect"), None), "the end", seconds
        )

    def close(self) -> None:
        """Goes away without a word, and waits until the server has noticed."""
        self._wire.close(1001)
        self._thread.join(ANSWER_SECONDS)


class CableSubscription:
    """One confirmed subscription."""

    def __init__(self, wire: _Wire, identifier: str) -> None:
        self.identifier = identifier
        self._wire = wire
        self._read = 0

    def perform(self, action: str, **data: Any) -> None:
        """Calls an action; what it answers is a message like any other."""
        command = {"command": "message", "identifier": self.identifier}
        self._wire.say({**command, "data": orjson.dumps({"action": action, **data}).decode()})

    def whisper(self, **data: Any) -> None:
        """Says something to the others on the whisper stream."""
        self._wire.say({"command": "whisper", "identifier": self.identifier, "data": data})

    def presence(self, **member: Any) -> dict[str, Any]:
        """Joins as `id` (and `info`), and waits for the next word about presence: one's own arrival, or an error."""
        answer = self._wire.ask(
            {"command": "join", "identifier": self.identifier, "presence": member},
            lambda said: said.get("type") == "presence" and said.get("identifier") == self.identifier,
            f"word about presence in {self.identifier}",
        )
        message: dict[str, Any] = answer["message"]
        return message

    def receive(self, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The next message, in their order. Raises AssertionError when none comes in time."""

        def following(_said: list[dict[str, Any]]) -> dict[str, Any] | None:
            messages = self.messages
            return messages[self._read] if len(messages) > self._read else None

        message = self._wire.wait_for(following, f"a message of {self.identifier}", seconds)
        self._read += 1
        return message

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All messages so far, received or not."""
        return [
            one["message"]
            for one in self._wire.said
            if one.get("identifier") == self.identifier and "message" in one and "type" not in one
        ]

    def unsubscribe(self) -> None:
        """Leaves, and waits until the server has handled it."""
        self._wire.ask(
            {"command": "unsubscribe", "identifier": self.identifier},
            None,
            f"the end of {self.identifier}",
        )


class _Wire:
    """A transport in memory (jiki_core/cable/transport.py) and the client's end of it."""

    def __init__(self, dialect: Dialect, query: str) -> None:
        self.environ: Mapping[str, Any] = {"QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1", "REQUEST_METHOD": "GET"}
        self.said: list[dict[str, Any]] = []
        self.ended: int | None = None
        self._dialect = dialect
        self._changed = threading.Condition()
        self._commands: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    # The server's end

    @property
    def peer(self) -> Peer:
        return Peer("127.0.0.1", self._dialect, time.monotonic())

    @property
    def is_gone(self) -> bool:
        return self.ended is not None

    def receive(self, timeout: float) -> str | None:
        if self.ended is not None:
            raise TransportClosed
        try:
            command = self._commands.get(timeout=timeout)
        except queue.Empty:
            return None
        if command is None:
            raise TransportClosed
        return command

    def wait_for_room(self) -> None:
        """Memory has room."""

    def send(self, frame: bytes) -> None:
        if frame[0] != _TEXT:
            return
        message = orjson.loads(frame[{126: 4, 127: 10}.get(frame[1], 2) :])
        with self._changed:
            if self.ended is None and message.get("type") != "ping":
                self.said.append(message)
                self._changed.notify_all()

    def close(self, code: int, reason: str = "", farewell: bytes = b"") -> None:
        if farewell:
            self.send(farewell)
        with self._changed:
            if self.ended is None:
                self.ended = code
            self._changed.notify_all()
        self._commands.put(None)

    # The client's end

    def say(self, command: Mapping[str, Any]) -> None:
        self._commands.put(orjson.dumps(command).decode())

    def ask(
        self, command: Mapping[str, Any], is_answer: Callable[[dict[str, Any]], bool] | None, what: str
    ) -> dict[str, Any]:
        """Says a command and waits for its answer; one without an answer is followed by a ping, which has one."""
        before = len(self.said)
        self.say(command)
        if is_answer is None:
            self.say({"command": "ping"})
        matches = is_answer or (lambda said: said.get("type") == "pong")
        return self.wait_for(lambda said: next((one for one in said[before:] if matches(one)), None), what)

    def wait_for(
        self, found_in: Callable[[list[dict[str, Any]]], T | None], what: str, seconds: float = ANSWER_SECONDS
    ) -> T:
        """The first thing found in what the server said. Raises AssertionError when nothing is found in time."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = found_in(self.said)
                if found is not None:
                    return found
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self.ended is not None:
                    ended = "" if self.ended is None else f" (the socket ended with {self.ended})"
                    raise AssertionError(f"{what} did not come within {seconds:g} s{ended}; said: {self.said[-5:]}")
                self._changed.wait(remaining)
