"""Pauses, revocations, restarts and garbage: what conversations make of them."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from jiki_core.cable import disconnect_user, publish
from jiki_core.cable.broadcast import publish_unlogged
from jiki_core.cable.keys import Keys
from jiki_core.cable.protocol import Dialect
from jiki_core.testing import wait_until
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


def test_a_paused_plugin_is_silent_and_its_messages_follow(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    extended, base = desk.connect(), desk.connect(dialect=Dialect.BASE)
    for visitor in (extended, base):
        enter(visitor)
    desk.paused.add("rooms")
    for n in range(3):
        publish(client, S, {"n": n})
    wait_until(lambda: len(desk.server._silenced) == 2, seconds=5)
    publish(client, S, {"n": 3})
    desk.pass_time(5)
    assert (messages(extended.transport.take()), messages(base.transport.take())) == ([], [])
    desk.paused.clear()
    desk.pass_time(1)
    for visitor in (extended, base):
        assert messages(visitor.hears(4)) == [0, 1, 2, 3]
    publish(client, S, {"n": 4})
    assert messages(extended.hears()) == [4]


def test_a_history_asked_for_during_a_pause_is_answered_after_it(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    publish(client, S, {"n": 0})
    last = visitor.hears()[-1]
    desk.paused.add("rooms")
    assert visitor.command("history", ROOM, history=reconnect_request(last)) == []
    publish(client, S, {"n": 1})
    desk.paused.clear()
    desk.pass_time(1)
    said = visitor.hears(2)
    assert messages(said) == [1]
    assert "confirm_history" in types(said)


def test_more_messages_than_the_log_keeps_are_told_as_lost(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    desk.paused.add("rooms")
    for n in range(150):
        publish(client, S, {"n": n})
    wait_until(lambda: desk.server._silenced, seconds=5)
    desk.paused.clear()
    desk.pass_time(1)
    assert types(visitor.hears())[0] == "reject_history"
    publish(client, S, {"n": 150})
    assert 150 in messages(settle(visitor, client))


def test_a_remote_disconnect_ends_a_users_sockets_or_one_sessions(make_desk: Any, client: redis.Redis) -> None:
    desk = make_desk(RoomChannel)
    first, second = desk.connect(session="a"), desk.connect(session="b")
    other = desk.connect(user_id=43, session="c")
    for visitor in (first, second, other):
        visitor.transport.take()
    wait_until(lambda: desk.server.hub._is_heard.is_set(), seconds=5)
    disconnect_user(client, 42, session_id="a")
    assert first.hears() == [{"type": "disconnect", "reason": "remote", "reconnect": False}]
    assert second.transport.closed is None
    disconnect_user(client, 42, reconnect=True)
    assert second.hears() == [{"type": "disconnect", "reason": "remote", "reconnect": True}]
    assert other.transport.closed is None


@pytest.mark.parametrize(
    "message",
    [b"", b"{", b"[]", b'{"command":"disconnect"}', b'{"command":"x","payload":{"identifier":"{\\"user_id\\":42}"}}'],
)
def test_nonsense_on_the_control_channel_ends_nobody(make_desk: Any, client: redis.Redis, message: bytes) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    enter(visitor)
    client.publish(Keys.of(client).control, message)
    assert settle(visitor, client) == []
    assert visitor.transport.closed is None


def test_a_drain_sends_everybody_away_over_some_seconds(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitors = [desk.connect() for _ in range(40)]
    desk.server.drain(2.0)
    assert not desk.server.take_place()
    desk.pass_time(1.0, step=0.1)
    assert 5 < sum(visitor.transport.closed is not None for visitor in visitors) < 35
    desk.pass_time(1.1, step=0.1)
    for visitor in visitors:
        assert visitor.transport.said[-1] == {"type": "disconnect", "reason": "server_restart", "reconnect": True}
        assert visitor.transport.closed == (1001, "Server restart")


@pytest.mark.parametrize("payload", [b"", b"garbage", b"m epoch x - {}", b"m \xff 1 - {}", b"x - 0 - {}"])
def test_garbage_on_a_streams_channel_hurts_nobody(make_desk: Any, client: redis.Redis, payload: bytes) -> None:
    visitor = make_desk(RoomChannel).connect()
    enter(visitor)
    client.publish(Keys.of(client).channel(S), payload)
    publish(client, S, {"n": 1})
    assert messages(visitor.hears()) == [1]


def test_presence_frames_do_not_reach_subscriptions_without_presence(make_desk: Any, client: redis.Redis) -> None:
    visitor = make_desk(RoomChannel).connect()
    enter(visitor, room(8))
    publish_unlogged(client, "room/8", b"p", b'{"type":"join","id":"1"}')
    assert settle(visitor, client, "room/8") == []
