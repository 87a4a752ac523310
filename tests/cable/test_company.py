"""Whispers, presence and signed streams: who hears of whom, and when that ends (realtime.md 1.11)."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
import redis

from jiki_core.cable import CableLimits, Channel, publish, sign_stream, signed_stream_channel
from jiki_core.cable.protocol import Dialect
from jiki_core.testing import wait_until
from tests.cable.rooms import (
    ROOM,
    RoomChannel,
    S,
    enter,
    messages,
    room,
    settle,
    types,
)

SECRET = "s" * 32


def test_a_whisper_reaches_everybody_else_and_is_not_kept(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    whisperer, extended, base = desk.connect(), desk.connect(), desk.connect(dialect=Dialect.BASE)
    for visitor in (whisperer, extended, base):
        enter(visitor)
    assert whisperer.command("whisper", ROOM, data={"event": "cursor", "line": 12}) == []
    heard = [{"identifier": ROOM, "message": {"event": "cursor", "line": 12}}]
    assert extended.hears() == heard
    assert base.hears() == heard
    assert settle(whisperer, client) == []
    assert types(enter(desk.connect(), history={"since": time.time()}))[-1] != "data"


def test_a_whisper_where_none_is_allowed_is_ignored(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    whisperer, other = desk.connect(), desk.connect()
    for visitor in (whisperer, other):
        enter(visitor, room(8))
    whisperer.command("whisper", room(8), data={"event": "cursor"})
    assert settle(other, client, "room/8") == []


def test_whispers_and_presence_end_with_their_stream(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    mover, other = desk.connect(), desk.connect()
    enter(other)
    enter(mover, presence={"id": "42"})
    other.hears()
    mover.perform(ROOM, action="move", stream="elsewhere")
    assert presence_of(other.hears()) == [{"type": "leave", "id": "42"}]
    mover.command("whisper", ROOM, data={"event": "cursor"})
    assert presence_of(mover.command("join", ROOM, presence={"id": "42"})) == [{"type": "error"}]
    assert settle(other, client) == []


class GuestsChannel(Channel):
    """Lets those in who are guests now."""

    permission = "rooms.enter"
    truth = "GET /rooms"
    asked = 0

    def subscribed(self) -> None:
        type(self).asked += 1
        self.stream_from("guests")
        self.allow_whisper("guests")
        self.allow_presence("guests")


GUESTS = '{"channel":"GuestsChannel"}'


def test_who_would_be_rejected_now_neither_whispers_nor_is_present(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(GuestsChannel)
    guest, other = desk.connect(), desk.connect()
    enter(other, GUESTS)
    enter(guest, GUESTS, presence={"id": "42"})
    other.hears()
    desk.permissions.clear()
    desk.time.advance(1)
    guest.command("whisper", GUESTS, data={"event": "cursor"})
    assert presence_of(settle(other, client, "guests")) == [{"type": "leave", "id": "42"}]
    settle(guest, client, "guests")
    assert presence_of(guest.command("join", GUESTS, presence={"id": "42"})) == [{"type": "error"}]
    assert presence_of(guest.command("presence", GUESTS)) == [{"type": "error"}]
    guest.command("whisper", GUESTS, data={"event": "cursor"})
    assert settle(other, client, "guests") == []


def test_a_channel_is_asked_at_most_once_a_second_about_whispers(make_desk: Any) -> None:
    desk = make_desk(GuestsChannel)
    guest, other = desk.connect(), desk.connect()
    for visitor in (guest, other):
        enter(visitor, GUESTS)
    before = GuestsChannel.asked
    for _ in range(10):
        guest.command("whisper", GUESTS, data={"event": "cursor"})
        desk.time.advance(0.25)
    assert GuestsChannel.asked - before == 2
    assert len(other.hears(10)) == 10


def test_while_nobody_can_say_who_may_whisper_nothing_is_passed_on(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(GuestsChannel)
    guest, other = desk.connect(), desk.connect()
    for visitor in (guest, other):
        enter(visitor, GUESTS)
    desk.time.advance(1)
    desk.failure = ConnectionError("the database is away")
    guest.command("whisper", GUESTS, data={"n": 1})
    desk.failure = None
    guest.command("whisper", GUESTS, data={"n": 2})
    assert messages(other.hears()) == [2]


def hears_presence(visitor: Any, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first announcement, which may have come with the answer to a command."""
    return presence_of(said) or presence_of(visitor.hears())


def presence_of(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["message"] for one in said if one.get("type") == "presence"]


def test_presence_is_announced_listed_and_left(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    ada, bob, base = desk.connect(), desk.connect(), desk.connect(dialect=Dialect.BASE)
    for visitor in (ada, bob, base):
        enter(visitor)
    said = ada.command("join", ROOM, presence={"id": "42", "info": {"name": "Ada"}})
    joined = {"type": "join", "id": "42", "info": {"name": "Ada"}}
    assert hears_presence(ada, said) == [joined]
    assert presence_of(bob.hears()) == [joined]
    assert presence_of(bob.command("presence", ROOM, data={"return_records": True})) == [
        {"type": "info", "total": 1, "records": [{"id": "42", "info": {"name": "Ada"}}]}
    ]
    assert presence_of(bob.command("presence", ROOM, data={"return_records": False})) == [{"type": "info", "total": 1}]
    ada.command("leave", ROOM)
    assert presence_of(bob.hears()) == [{"type": "leave", "id": "42"}]
    assert presence_of(settle(base, client)) == []


def test_a_subscribe_may_join_in_one_step(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    said = enter(visitor, presence={"id": "42"})
    assert types(said)[0] == "confirm_subscription"
    assert hears_presence(visitor, said) == [{"type": "join", "id": "42"}]


def test_unsubscribing_leaves(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    ada, bob = desk.connect(), desk.connect()
    enter(bob)
    enter(ada, presence={"id": "42"})
    bob.hears()
    ada.command("unsubscribe", ROOM)
    assert presence_of(bob.hears()) == [{"type": "leave", "id": "42"}]


def test_a_vanished_client_stays_for_a_while_and_one_that_returns_never_left(make_desk: Any) -> None:
    desk = make_desk(RoomChannel, limits=CableLimits(presence_seconds=1))
    ada, bob, watching = desk.connect(), desk.connect(), desk.connect()
    enter(watching)
    for visitor, name in ((ada, "ada"), (bob, "bob")):
        enter(visitor, presence={"id": name})
    watching.hears(2)
    for visitor in (ada, bob):
        visitor.leave()
    again = desk.connect()
    enter(again, presence={"id": "bob"})

    def watch() -> bool:
        watching.transport.heard_at = again.transport.heard_at = desk.time.seconds
        desk.pass_time(0.5)
        return bool(presence_of(watching.transport.said))

    wait_until(watch, seconds=10)
    assert presence_of(watching.transport.take()) == [{"type": "leave", "id": "ada"}]


@pytest.mark.parametrize("given", [None, {"id": 42}, {"id": ""}, "42"])
def test_a_presence_that_cannot_be_is_answered_with_an_error(make_desk: Any, given: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    enter(visitor)
    assert presence_of(visitor.command("join", ROOM, presence=given)) == [{"type": "error"}]


def test_where_there_is_no_presence_there_is_an_error(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    enter(visitor, room(8))
    assert presence_of(visitor.command("join", room(8), presence={"id": "42"})) == [{"type": "error"}]
    assert presence_of(visitor.command("presence", room(8))) == [{"type": "error"}]


def test_a_signed_stream_needs_no_channel_class(make_desk: Any, client: redis.Redis) -> None:
    visitor = make_desk(signed_stream_channel(SECRET)).connect()
    identifier = orjson.dumps({"channel": "$pubsub", "signed_stream_name": sign_stream(SECRET, S)}).decode()
    assert types(enter(visitor, identifier)) == ["confirm_subscription"]
    publish(client, S, {"n": 1})
    assert messages(visitor.hears()) == [1]


@pytest.mark.parametrize(
    "members",
    [
        {"stream_name": S},
        {"signed_stream_name": sign_stream("t" * 32, S)},
        {"signed_stream_name": sign_stream(SECRET, S)[:-2] + "00"},
        {},
    ],
)
def test_an_unsigned_stream_is_refused(make_desk: Any, members: dict[str, str]) -> None:
    visitor = make_desk(signed_stream_channel(SECRET)).connect()
    identifier = orjson.dumps({"channel": "$pubsub", **members}).decode()
    assert types(enter(visitor, identifier)) == ["reject_subscription"]
