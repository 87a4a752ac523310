"""What a client missed: replayed once and in order, held at the seam to live messages, or refused (realtime.md 1.8, 1.9)."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import redis

from jiki_core.cable import publish
from jiki_core.cable.protocol import Dialect
from tests.cable.rooms import (
    ROOM,
    RoomChannel,
    S,
    enter,
    messages,
    reconnect_request,
    types,
)


def test_a_client_that_returns_gets_what_it_missed_and_then_goes_on(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    publish(client, S, {"n": 0})
    last = visitor.hears()[-1]
    visitor.leave()
    for n in range(1, 4):
        publish(client, S, {"n": n})
    again = desk.connect()
    said = enter(again, history=reconnect_request(last, since=time.time()))
    assert types(said) == ["confirm_subscription", "data", "data", "data", "confirm_history"]
    assert messages(said) == [1, 2, 3]
    assert [one["offset"] for one in said[1:4]] == [2, 3, 4]
    publish(client, S, {"n": 4})
    assert messages(again.hears()) == [4]


def test_history_may_be_asked_for_by_time(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    before = int(time.time())
    for n in range(3):
        publish(client, S, {"n": n})
    said = enter(desk.connect(), history={"since": before})
    assert types(said)[-1] == "confirm_history"
    assert messages(said) == [0, 1, 2]


def test_a_new_client_has_missed_nothing(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    assert types(enter(visitor, history={"since": int(time.time())})) == ["confirm_subscription", "confirm_history"]


@pytest.mark.parametrize(
    "position",
    [
        {"epoch": "another", "offset": 1},
        {"epoch": None, "offset": 1},
        {"offset": 999},
        {"offset": 19},
        {"offset": -1},
    ],
)
def test_what_cannot_be_answered_in_full_is_refused(
    make_desk: Any, client: redis.Redis, position: dict[str, Any]
) -> None:
    desk = make_desk(RoomChannel)
    epoch = ""
    for n in range(120):
        published = publish(client, S, {"n": n})
        assert published is not None
        epoch = published.epoch
    visitor = desk.connect()
    said = enter(visitor, history={"streams": {S: {"epoch": epoch, **position}}})
    assert types(said) == ["confirm_subscription", "reject_history"]
    publish(client, S, {"n": 120})
    assert messages(visitor.hears()) == [120]


def test_the_oldest_position_that_can_be_answered(make_desk: Any, client: redis.Redis) -> None:
    epoch = ""
    for n in range(120):
        published = publish(client, S, {"n": n})
        assert published is not None
        epoch = published.epoch
    said = enter(make_desk(RoomChannel).connect(), history={"streams": {S: {"epoch": epoch, "offset": 20}}})
    assert messages(said) == list(range(20, 120))


def test_one_stream_that_cannot_be_answered_refuses_all(make_desk: Any, client: redis.Redis) -> None:
    publish(client, S, {"n": 1})
    published = publish(client, "rooms/42", {"n": 2})
    assert published is not None
    request = {"streams": {S: {"epoch": "another", "offset": 0}, "rooms/42": {"epoch": published.epoch, "offset": 0}}}
    said = enter(make_desk(RoomChannel).connect(), history=request)
    assert types(said) == ["confirm_subscription", "reject_history"]


def test_positions_of_other_streams_open_nothing(make_desk: Any, client: redis.Redis) -> None:
    published = publish(client, "room/1", {"n": 1})
    assert published is not None
    request = {"streams": {"room/1": {"epoch": published.epoch, "offset": 0}}}
    said = enter(make_desk(RoomChannel).connect(), history=request)
    assert types(said) == ["confirm_subscription", "confirm_history"]


def test_history_alone_replays_from_the_position_named(make_desk: Any, client: redis.Redis) -> None:
    visitor = make_desk(RoomChannel).connect()
    enter(visitor)
    for n in range(3):
        publish(client, S, {"n": n})
    first = visitor.hears(3)[0]
    said = visitor.command("history", ROOM, history=reconnect_request(first))
    assert messages(said) == [1, 2]
    assert types(said)[-1] == "confirm_history"


def test_history_by_time_does_not_repeat_what_was_sent_live(make_desk: Any, client: redis.Redis) -> None:
    visitor = make_desk(RoomChannel).connect()
    since = int(time.time())
    enter(visitor)
    for n in range(3):
        publish(client, S, {"n": n})
    visitor.hears(3)
    assert types(visitor.command("history", ROOM, history={"since": since})) == ["confirm_history"]


def test_a_base_client_asks_for_no_history(make_desk: Any, client: redis.Redis) -> None:
    publish(client, S, {"n": 1})
    visitor = make_desk(RoomChannel).connect(dialect=Dialect.BASE)
    assert types(enter(visitor, history={"since": 0})) == ["confirm_subscription"]
    assert visitor.command("history", ROOM, history={"since": 0}) == []


def test_the_seam_between_history_and_live_has_no_gap_and_no_repetition(
    make_desk: Any, client: redis.Redis, valkey: Any
) -> None:
    desk = make_desk(RoomChannel)
    first = publish(client, S, {"n": -1})
    assert first is not None
    stopping = threading.Event()
    published: list[int] = []

    def publish_on() -> None:
        with valkey.client() as other:
            while not stopping.is_set():
                publish(other, S, {"n": len(published)})
                published.append(len(published))
                time.sleep(0.001)  # a stream of messages, slow enough for the log to cover a visit

    publisher = threading.Thread(target=publish_on)
    publisher.start()
    try:
        for _ in range(25):
            visitor = desk.connect()
            start = len(published)
            position = {"epoch": first.epoch, "offset": max(1, start - 10)}
            said = enter(visitor, history={"streams": {S: position}})
            said += visitor.hears(40)
            assert "reject_history" not in types(said)
            offsets = [one["offset"] for one in said if "offset" in one]
            assert offsets == list(range(position["offset"] + 1, position["offset"] + 1 + len(offsets)))
            visitor.leave()
    finally:
        stopping.set()
        publisher.join()
