"""A channel of rooms, and what its visitors say and hear: shared by the tests of delivery, history, sessions and company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import redis

from jiki_core.cable import Channel, action, publish
from jiki_core.testing import wait_until


@dataclass(frozen=True)
class RoomParams:
    id: int


class RoomChannel(Channel):
    Params = RoomParams
    truth = "GET /rooms/{id}"

    def subscribed(self) -> None:
        self.stream_from(f"room/{self.params.id}")
        self.stream_for_user("rooms")
        if self.params.id != 8:
            self.allow_whisper(f"room/{self.params.id}")
            self.allow_presence(f"room/{self.params.id}")

    @action
    def follow(self, data: Mapping[str, Any]) -> None:
        self.stream_from(data["stream"])

    @action
    def unfollow(self, data: Mapping[str, Any]) -> None:
        self.stop_stream_from(data["stream"])

    @action
    def move(self, data: Mapping[str, Any]) -> None:
        self.stop_all_streams()
        self.stream_from(data["stream"])


def room(number: int) -> str:
    return orjson.dumps({"channel": "RoomChannel", "id": number}).decode()


ROOM = room(7)
S = "room/7"


def messages(said: list[dict[str, Any]]) -> list[Any]:
    return [one["message"]["n"] for one in said if "message" in one and "n" in one["message"]]


def types(said: list[dict[str, Any]]) -> list[str]:
    return [one.get("type", "data") for one in said]


def settle(visitor: Any, client: redis.Redis, stream: str = S) -> list[dict[str, Any]]:
    """What is heard until a last transient message."""
    publish(client, stream, {"settled": True}, transient=True)
    found: list[dict[str, Any]] = []

    def is_settled() -> bool:
        found.extend(visitor.transport.take())
        return any(one.get("message") == {"settled": True} for one in found)

    wait_until(is_settled, seconds=5, what="the last message")
    return [one for one in found if one.get("message") != {"settled": True}]


def enter(visitor: Any, identifier: str = ROOM, **members: Any) -> list[dict[str, Any]]:
    visitor.transport.take()
    return visitor.command("subscribe", identifier, **members)  # type: ignore[no-any-return]


def reconnect_request(last: Mapping[str, Any], since: float = 0) -> dict[str, Any]:
    return {"since": since, "streams": {last["stream_id"]: {"offset": last["offset"], "epoch": last["epoch"]}}}
