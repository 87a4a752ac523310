"""Live messages of streams: each once, in order, to whoever listens (realtime.md 1.5). A real Valkey and the hub's real thread;
the sockets are in memory."""

from __future__ import annotations

import time
from typing import Any

import redis

from jiki_core.cable import publish
from jiki_core.cable.keys import Keys
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


def test_an_extended_client_gets_positions_and_a_base_client_none(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    extended, base = desk.connect(), desk.connect(dialect=Dialect.BASE)
    for visitor in (extended, base):
        assert types(enter(visitor)) == ["confirm_subscription"]
    position = publish(client, S, {"n": 1})
    assert position is not None
    assert extended.hears() == [
        {"identifier": ROOM, "message": {"n": 1}, "stream_id": S, "epoch": position.epoch, "offset": 1}
    ]
    assert base.hears() == [{"identifier": ROOM, "message": {"n": 1}}]


def test_messages_come_in_order_and_once_per_subscription(make_desk: Any, client: redis.Redis) -> None:
    visitor = make_desk(RoomChannel).connect()
    other = '{"id":7,"channel":"RoomChannel"}'
    for identifier in (ROOM, other):
        enter(visitor, identifier)
    for n in range(200):
        publish(client, S, {"n": n})
    said = visitor.hears(400)
    for identifier in (ROOM, other):
        assert messages([one for one in said if one["identifier"] == identifier]) == list(range(200))


def test_everything_sent_after_the_confirmation_arrives(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    for number in range(30):
        visitor = desk.connect()
        enter(visitor, room(100 + number))
        publish(client, f"room/{100 + number}", {"n": number})
        assert messages(visitor.hears()) == [number]


def test_the_excluded_socket_hears_nothing(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    sender, other = desk.connect(), desk.connect()
    for visitor in (sender, other):
        enter(visitor)
    publish(client, S, {"n": 1}, exclude_socket=sender.connection.sid)
    publish(client, S, {"n": 2})
    assert messages(other.hears(2)) == [1, 2]
    assert messages(settle(sender, client)) == [2]


def test_a_message_is_encoded_once_for_all_who_get_the_same(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitors = [desk.connect() for _ in range(3)]
    for visitor in visitors:
        enter(visitor)
        visitor.transport.take()
    publish(client, S, {"n": 1})
    wait_until(lambda: all(visitor.transport.frames for visitor in visitors), seconds=5)
    assert len({id(visitor.transport.frames[0]) for visitor in visitors}) == 1


def test_one_connection_hears_for_all_sockets_of_a_process(make_desk: Any, own_valkey: Any) -> None:
    desk = make_desk(RoomChannel, url=own_valkey.url)
    for number in range(20):
        assert types(enter(desk.connect(), room(100 + number))) == ["confirm_subscription"]
    with own_valkey.client() as client:
        listening: Any = client.client_list(_type="pubsub")
    assert len(listening) == 1
    assert int(listening[0]["sub"]) >= 20


def test_after_unsubscribe_nothing_comes(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor, witness = desk.connect(), desk.connect()
    for one in (visitor, witness):
        enter(one)
    visitor.command("unsubscribe", ROOM)
    publish(client, S, {"n": 1})
    witness.hears()
    assert visitor.transport.take() == []


def test_an_action_may_change_what_is_streamed(make_desk: Any, client: redis.Redis) -> None:
    visitor = make_desk(RoomChannel).connect()
    enter(visitor)
    visitor.perform(ROOM, action="follow", stream="extra")
    publish(client, "extra", {"n": 1})
    assert messages(visitor.hears()) == [1]
    visitor.perform(ROOM, action="unfollow", stream="extra")
    publish(client, "extra", {"n": 2})
    publish(client, S, {"n": 3})
    assert messages(settle(visitor, client)) == [3]
    visitor.perform(ROOM, action="move", stream="elsewhere")
    publish(client, S, {"n": 4})
    publish(client, "elsewhere", {"n": 5})
    assert messages(settle(visitor, client, "elsewhere")) == [5]


def test_the_same_durable_message_is_delivered_once(make_desk: Any, client: redis.Redis) -> None:
    visitor = make_desk(RoomChannel).connect()
    enter(visitor)
    for _ in range(3):
        publish(client, S, {"n": 1}, durable_id="outbox-1")
    assert messages(settle(visitor, client)) == [1]


def test_a_stream_nobody_listens_to_is_left_and_can_be_entered_again(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    channel = Keys.of(client).channel(S)

    def listeners() -> int:
        (found,) = client.pubsub_numsub(channel)  # type: ignore[misc]  # redis-py's answer is untyped
        return int(found[1])

    visitor, other = desk.connect(), desk.connect()
    enter(visitor)
    assert listeners() == 1
    visitor.command("unsubscribe", ROOM)
    enter(other, room(9))  # anything wakes the hub
    wait_until(lambda: listeners() == 0, seconds=5)
    enter(visitor)
    publish(client, S, {"n": 1})
    assert messages(visitor.hears()) == [1]


def test_a_message_whose_announcement_was_lost_is_found_by_the_next(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    extended, base = desk.connect(), desk.connect(dialect=Dialect.BASE)
    for visitor in (extended, base):
        enter(visitor)
    publish(client, S, {"n": 1})
    for visitor in (extended, base):
        visitor.hears()
    keys = Keys.of(client)
    client.hincrby(keys.position(S), "offset", 1)
    client.xadd(keys.log(S), {"at": int(time.time() * 1000), "message": b'{"n":2}'}, id="2-0")
    publish(client, S, {"n": 3})
    for visitor in (extended, base):
        assert messages(visitor.hears(2)) == [2, 3]
