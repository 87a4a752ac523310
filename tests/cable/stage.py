"""A tiny app around the cable, served by gunicorn in the tests: tokens for anybody, and HTTP in place of what jobs do.

Its configuration for gunicorn is stage_gunicorn.py. REDIS_URL names Valkey; the rest is defaults.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import flask
import redis
from flask import Flask, g, request

from jiki_core.cable import (
    CableLimits,
    CableServices,
    CableTokenExpired,
    CableTokenInvalid,
    Channel,
    ChannelRegistry,
    DisconnectReason,
    NotificationsChannel,
    Refused,
    Registered,
    action,
    cable_of,
    disconnect_user,
    issue_cable_token,
    mount_cable,
    publish,
    sign_stream,
    signed_stream_channel,
    token_of,
    verify_cable_token,
)
from jiki_core.errors import DomainError
from jiki_core.security import Identity

SECRET = "a secret that only this stage has, of some length"
STREAM = "room/{}"
paused: set[str] = set()
#: rooms whose database is away for some seconds, and since when
away_since: dict[int, float] = {}
#: whether a context was there when the conversation looked at pauses between its commands
idle_contexts: list[bool] = []


@dataclass(frozen=True)
class RoomParams:
    id: int
    label: str = ""


class RoomChannel(Channel):
    """A room: what is published to room/<id> arrives; 13 is closed. Labelled "away 3", its database is away for 3 s."""

    Params = RoomParams
    truth = "GET /rooms/{id}"

    def subscribed(self) -> None:
        if self.params.id == 13:
            self.reject()
            return
        kind, _, seconds = self.params.label.partition(" ")
        if kind == "away":
            since = away_since.setdefault(self.params.id, time.monotonic())
            if time.monotonic() - since < float(seconds):
                raise ConnectionError("the database is away")
        self.stream_from(STREAM.format(self.params.id))
        self.allow_whisper(STREAM.format(self.params.id))
        self.allow_presence(STREAM.format(self.params.id))

    @action
    def echo(self, data: Mapping[str, Any]) -> None:
        self.transmit({"echo": dict(data)})

    @action
    def fail(self, data: Mapping[str, Any]) -> None:
        raise RuntimeError("the action fails")

    @action
    def linger(self, data: Mapping[str, Any]) -> None:
        time.sleep(float(data["seconds"]))
        self.transmit({"lingered": data["seconds"]})

    @action
    def context(self, data: Mapping[str, Any]) -> None:
        was_fresh = "mark" not in g
        g.mark = True
        self.transmit({"fresh": was_fresh, "request": flask.has_request_context()})


app = Flask("stage")
client = redis.Redis.from_url(os.environ["REDIS_URL"])


def _authenticate(environ: Mapping[str, Any]) -> Identity | Refused:
    token = token_of(environ)
    if token == "broken-database":
        raise RuntimeError("the database is away")
    if token is None and "user=" in str(environ.get("HTTP_COOKIE", "")):
        return Identity(int(str(environ["HTTP_COOKIE"]).partition("user=")[2]), "session")
    try:
        verified = verify_cable_token(SECRET, token or "", now=time.time())
    except CableTokenExpired:
        return Refused(DisconnectReason.TOKEN_EXPIRED)
    except CableTokenInvalid:
        return Refused()
    expires_at = datetime.fromtimestamp(verified.expires_at, UTC)
    return Identity(verified.user_id, "cable_token", verified.session_id, expires_at=expires_at)


def _is_paused(plugin: str) -> bool:
    idle_contexts.append(flask.has_app_context() or flask.has_request_context())
    del idle_contexts[:-100]
    return plugin in paused


@contextlib.contextmanager
def _app_context(_identity: Identity | None) -> Iterator[None]:
    with app.app_context():
        yield


mount_cable(
    app,
    CableServices(
        channels=ChannelRegistry(
            [
                Registered("core", NotificationsChannel),
                Registered("core", signed_stream_channel(SECRET)),
                Registered("rooms", RoomChannel),
            ]
        ),
        authenticate=_authenticate,
        is_current=lambda _identity: True,
        authorize=lambda _identity, _permission: True,
        app_context=_app_context,
        run_in_unit=lambda call: call(None),  # type: ignore[arg-type]  # the stage's channels write no rows
        is_paused=_is_paused,
        is_outage=lambda error: isinstance(error, ConnectionError),
        redis_url=os.environ["REDIS_URL"],
        allowed_origins=("http://page.example", os.environ.get("STAGE_ORIGIN", "http://page.example")),
        limits=CableLimits(max_connections=int(os.environ.get("STAGE_CONNECTIONS", "5000"))),
    ),
)


@app.errorhandler(DomainError)
def _refuse(error: DomainError) -> tuple[dict[str, Any], int, dict[str, str]]:
    return {"error": {"type": error.symbol}}, error.status, dict(error.headers())


@app.get("/token/<int:user_id>")
def token(user_id: int) -> str:
    seconds = int(request.args.get("seconds", "300"))
    return issue_cable_token(SECRET, user_id, session_id=f"s{user_id}", now=time.time(), seconds=seconds)


@app.get("/signed/<path:stream>")
def signed(stream: str) -> str:
    return sign_stream(SECRET, stream)


@app.post("/publish")
def publish_messages() -> dict[str, Any]:
    """`{"stream", "messages": […], "options"?}`; positions of the messages."""
    given = request.get_json()
    options = given.get("options", {})
    positions = [publish(client, given["stream"], message, **options) for message in given["messages"]]
    return {"offsets": [None if one is None else one.offset for one in positions]}


@app.post("/disconnect/<int:user_id>")
def disconnect(user_id: int) -> str:
    disconnect_user(client, user_id, reconnect=request.args.get("reconnect") == "1")
    return ""


@app.post("/forget")
def forget() -> str:
    """Valkey loses all it knew of streams."""
    client.flushall()
    return ""


@app.get("/state")
def state() -> dict[str, Any]:
    with open("/proc/self/status") as status:
        memory = next(line for line in status if line.startswith("VmRSS"))
    return {
        "process": os.getpid(),
        "connections": cable_of(app).connection_count,
        # without gunicorn's pool, which keeps its threads
        "threads": sum(not one.name.startswith("ThreadPoolExecutor") for one in threading.enumerate()),
        "kilobytes": int(memory.split()[1]),
        "idle_contexts": sum(idle_contexts),
    }
