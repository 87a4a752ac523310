"""Sessions that come back after a line broke: with their subscriptions, decided anew, and nothing twice (realtime.md 1.10)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
import redis

from jiki_core.cable import Channel, publish
from jiki_core.cable.protocol import Dialect
from jiki_core.cable.sessions import find_session
from tests.cable.rooms import (
    ROOM,
    RoomChannel,
    S,
    enter,
    messages,
    reconnect_request,
    room,
    settle,
    types,
)


def lose(visitor: Any) -> str:
    """The line breaks; returns the sid to come back with."""
    visitor.leave()
    return str(visitor.connection.sid)


def test_a_session_comes_back_with_its_subscriptions(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    enter(visitor, room(8))
    visitor.command("unsubscribe", room(8))
    publish(client, S, {"n": 0})
    last = visitor.hears()[-1]
    sid = lose(visitor)
    publish(client, S, {"n": 1})
    again = desk.connect(query=f"sid={sid}")
    (welcome,) = again.transport.take()
    assert welcome == {
        "type": "welcome",
        "sid": again.connection.sid,
        "restored": True,
        "restored_ids": [ROOM],
    }
    assert welcome["sid"] != sid
    assert find_session(client, welcome["sid"], 42) is not None
    publish(client, S, {"n": 2})
    said = again.command("history", ROOM, history=reconnect_request(last))
    said += settle(again, client)
    assert messages(said) == [1, 2]
    assert "confirm_history" in types(said)


def test_a_client_that_is_no_browser_may_name_its_session_in_a_header(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    (welcome,) = desk.connect(query="sid=", HTTP_X_ANYCABLE_RESTORE_SID=lose(visitor)).transport.take()
    assert welcome["restored_ids"] == [ROOM]


def test_live_messages_of_a_restored_subscription_wait_for_its_history(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    publish(client, S, {"n": 0})
    last = visitor.hears()[-1]
    sid = lose(visitor)
    again, witness = desk.connect(query=f"sid={sid}"), desk.connect()
    enter(witness)
    again.transport.take()
    for n in range(1, 6):
        publish(client, S, {"n": n})
    witness.hears(5)
    assert again.transport.take() == []
    said = again.command("history", ROOM, history=reconnect_request(last))
    assert messages(said) == [1, 2, 3, 4, 5]
    publish(client, S, {"n": 6})
    assert messages(again.hears()) == [6]


def test_a_client_that_takes_its_history_slowly_holds_up_nobody_else(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    publish(client, S, {"n": 0})
    last = visitor.hears()[-1]
    again = desk.connect(query=f"sid={lose(visitor)}")
    again.transport.take()
    publish(client, S, {"n": 1})
    waits, goes_on = threading.Event(), threading.Event()
    again.transport.wait_for_room = lambda: waits.set() or goes_on.wait(10)
    asking = threading.Thread(target=again.connection.handle, args=(history_command(last),))
    asking.start()
    assert waits.wait(5)
    others = threading.Thread(target=desk.pass_time, args=(2.5,))  # the time when what is held flows unasked
    others.start()
    others.join(5)
    assert not others.is_alive()
    goes_on.set()
    asking.join(5)
    publish(client, S, {"n": 2})
    assert messages(again.hears(3)) == [1, 2]


def history_command(last: Mapping[str, Any]) -> str:
    return orjson.dumps({"command": "history", "identifier": ROOM, "history": reconnect_request(last)}).decode()


def test_a_client_that_never_asks_gets_live_messages_after_a_while(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    again = desk.connect(query=f"sid={lose(visitor)}")
    again.transport.take()
    publish(client, S, {"n": 1})
    desk.pass_time(2.5)
    assert messages(again.hears()) == [1]


@pytest.mark.parametrize("case", ["another user", "empty", "unknown", "base dialect"])
def test_a_sid_alone_opens_nothing(make_desk: Any, client: redis.Redis, case: str) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    sid = lose(visitor)
    again = desk.connect(
        user_id=43 if case == "another user" else 42,
        query={"empty": "sid=", "unknown": "sid=" + "x" * 22}.get(case, f"sid={sid}"),
        dialect=Dialect.BASE if case == "base dialect" else Dialect.EXTENDED,
    )
    (welcome,) = again.transport.take()
    assert "restored" not in welcome
    assert again.connection.subscriptions == {}


def test_a_restored_subscription_is_decided_again(make_desk: Any) -> None:
    class KeyedChannel(Channel):
        permission = "rooms.enter"
        truth = "GET /rooms"

        def subscribed(self) -> None:
            self.transmit({"restored": self.is_restored})

    desk = make_desk(KeyedChannel, RoomChannel)
    visitor = desk.connect()
    for identifier in ('{"channel":"KeyedChannel"}', ROOM):
        enter(visitor, identifier)
    sid = lose(visitor)
    again = desk.connect(query=f"sid={sid}")
    assert again.transport.take() == [
        {
            "type": "welcome",
            "sid": again.connection.sid,
            "restored": True,
            "restored_ids": ['{"channel":"KeyedChannel"}', ROOM],
        },
        {"identifier": '{"channel":"KeyedChannel"}', "message": {"restored": True}},
    ]
    desk.permissions.clear()
    once_more = desk.connect(query=f"sid={lose(again)}")
    assert once_more.transport.take()[0]["restored_ids"] == [ROOM]


def test_a_client_that_never_got_its_confirmation_gets_one_and_nothing_twice(
    make_desk: Any, client: redis.Redis
) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    published = publish(client, S, {"n": 0})
    assert published is not None
    enter(visitor)  # and the line breaks before the client hears of it
    publish(client, S, {"n": 1})
    again = desk.connect(query=f"sid={lose(visitor)}")
    again.transport.take()
    # what @anycable/core sends then: a history for what is restored, a subscribe for what it does not have
    history = {"since": time.time(), "streams": {S: {"epoch": published.epoch, "offset": 1}}}
    said = again.command("history", ROOM, history=history)
    said += again.command("subscribe", ROOM, history=history)
    assert types(said) == ["data", "confirm_history", "confirm_subscription", "confirm_history"]
    assert again.command("subscribe", ROOM) == []
    publish(client, S, {"n": 2})
    assert messages(again.hears()) == [2]


def test_a_second_absence_before_the_history_loses_nothing(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    publish(client, S, {"n": 0})
    last = visitor.hears()[-1]
    publish(client, S, {"n": 1})
    between = desk.connect(query=f"sid={lose(visitor)}")
    between.transport.take()
    publish(client, S, {"n": 2})
    again = desk.connect(query=f"sid={lose(between)}")
    again.transport.take()
    assert messages(again.command("history", ROOM, history=reconnect_request(last))) == [1, 2]
