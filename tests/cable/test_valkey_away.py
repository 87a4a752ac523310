"""Valkey dies, restarts, stops answering or cuts us off: no socket hangs or ends, and every possible loss is told."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis

from jiki_core.cable import Channel, disconnect_user, publish
from jiki_core.cable.protocol import Dialect
from jiki_core.cache import connect
from jiki_core.devserver.ports import free_port
from jiki_core.testing import wait_until

S = "news"
NEWS = '{"channel":"NewsChannel"}'


class NewsChannel(Channel):
    truth = "GET /news"

    def subscribed(self) -> None:
        self.stream_from(S)
        self.allow_whisper(S)
        self.allow_presence(S)


def types(said: list[dict[str, Any]]) -> list[str]:
    return [one.get("type", "data") for one in said]


def numbers(said: list[dict[str, Any]]) -> list[int]:
    return [one["message"]["n"] for one in said if "message" in one]


def enter(visitor: Any, **members: Any) -> list[str]:
    visitor.transport.take()
    return types(visitor.command("subscribe", NEWS, **members))


def is_heard(desk: Any) -> bool:
    return not desk.server.hub.is_away and desk.server.hub._is_heard.is_set()


def test_without_valkey_a_socket_works_and_is_told(make_desk: Any) -> None:
    desk = make_desk(NewsChannel, url=f"redis://127.0.0.1:{free_port()}/0")
    visitor = desk.connect()
    began = time.monotonic()
    assert enter(visitor, history={"since": int(time.time())}) == ["confirm_subscription", "reject_history"]
    assert visitor.command("whisper", NEWS, data={"a": 1}) == []
    (answer,) = visitor.command("join", NEWS, presence={"id": "1"})
    assert answer["message"] == {"type": "error"}
    assert types(visitor.command("ping")) == ["pong"]
    assert time.monotonic() - began < 6


def test_later_subscriptions_do_not_wait_for_a_valkey_that_is_away(make_desk: Any) -> None:
    desk = make_desk(NewsChannel, url=f"redis://127.0.0.1:{free_port()}/0")
    enter(desk.connect())
    wait_until(lambda: desk.server.hub.is_away, seconds=5)
    began = time.monotonic()
    for _ in range(20):
        assert enter(desk.connect()) == ["confirm_subscription"]
    assert time.monotonic() - began < 1


def test_a_valkey_that_does_not_answer_delays_a_subscription_by_seconds_only(make_desk: Any, own_valkey: Any) -> None:
    desk = make_desk(NewsChannel, url=own_valkey.url)
    wait_until(lambda: is_heard(desk), seconds=5)
    own_valkey.pause()
    try:
        began = time.monotonic()
        visitor = desk.connect()
        assert enter(visitor, history={"since": int(time.time())}) == ["confirm_subscription", "reject_history"]
        assert time.monotonic() - began < 4.5
        wait_until(lambda: desk.server.hub.is_away, seconds=15)
    finally:
        own_valkey.resume()
    assert types(visitor.hears()) == ["reject_history"]
    with own_valkey.client() as client:
        publish(client, S, {"n": 1})
    assert numbers(visitor.hears()) == [1]


def test_a_restart_that_lost_everything_is_told_to_those_who_can_be_told(make_desk: Any, own_valkey: Any) -> None:
    desk = make_desk(NewsChannel, url=own_valkey.url)
    extended, base = desk.connect(), desk.connect(dialect=Dialect.BASE)
    for visitor in (extended, base):
        enter(visitor)
    with own_valkey.client() as client:
        publish(client, S, {"n": 1})
    last = extended.hears()[-1]
    base.hears()
    own_valkey.stop()
    wait_until(lambda: desk.server.hub.is_away, seconds=10)
    assert types(extended.command("ping")) == ["pong"]
    own_valkey.start()
    assert types(extended.hears()) == ["reject_history"]
    with own_valkey.client() as client:
        publish(client, S, {"n": 2})
        assert numbers(extended.hears()) == [2]
        assert numbers(base.hears()) == [2]
    again = desk.connect()
    request = {"streams": {S: {"epoch": last["epoch"], "offset": last["offset"]}}}
    assert enter(again, history=request) == ["confirm_subscription", "reject_history"]


def test_who_was_away_while_valkey_lost_everything_is_told_too(make_desk: Any, own_valkey: Any) -> None:
    desk = make_desk(NewsChannel, url=own_valkey.url)
    visitor = desk.connect()
    enter(visitor)
    visitor.leave()
    away_since = int(time.time())
    with own_valkey.client() as client:
        publish(client, S, {"n": 1})
    own_valkey.stop()
    own_valkey.start()
    wait_until(lambda: is_heard(desk), seconds=10)
    assert enter(desk.connect(), history={"since": away_since}) == ["confirm_subscription", "reject_history"]


def test_a_cut_line_loses_nothing(make_desk: Any, valkey: Any, client: redis.Redis) -> None:
    desk = make_desk(NewsChannel)
    extended, base = desk.connect(), desk.connect(dialect=Dialect.BASE)
    for visitor in (extended, base):
        enter(visitor)
    for n in range(60):
        publish(client, S, {"n": n})
        if n % 20 == 10:
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    for visitor in (extended, base):
        said = visitor.hears(60)
        assert types(said) == ["data"] * 60
        assert numbers(said) == list(range(60))


def test_after_a_cut_everybody_is_checked_once_more(make_desk: Any, own_valkey: Any) -> None:
    desk = make_desk(NewsChannel, url=own_valkey.url)
    revoked, other = desk.connect(user_id=1), desk.connect(user_id=2)
    wait_until(lambda: is_heard(desk), seconds=5)
    own_valkey.stop()
    wait_until(lambda: desk.server.hub.is_away, seconds=10)
    desk.revoked.add(1)
    own_valkey.start()

    def is_closed() -> bool:
        desk.server.errands.run_pending()
        return revoked.transport.closed is not None

    wait_until(is_closed, seconds=10)
    assert revoked.transport.said[-1] == {"type": "disconnect", "reason": "remote", "reconnect": False}
    assert other.transport.closed is None


def test_a_session_that_could_not_be_kept_is_simply_subscribed_again(make_desk: Any) -> None:
    desk = make_desk(NewsChannel, url=f"redis://127.0.0.1:{free_port()}/0")
    visitor = desk.connect()
    enter(visitor)
    visitor.leave()
    (welcome,) = desk.connect(query=f"sid={visitor.connection.sid}").transport.take()
    assert "restored" not in welcome


def test_publishing_says_that_valkey_is_away() -> None:
    client = connect(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(redis.ConnectionError):
        publish(client, S, {"n": 1})
    with pytest.raises(redis.ConnectionError):
        disconnect_user(client, 1)
    client.close()


def test_an_unreachable_valkey_stands_in_nobodys_way(make_desk: Any) -> None:
    desk = make_desk(NewsChannel, url="redis://192.0.2.1:6379/0")
    began = time.monotonic()
    visitor = desk.connect()
    assert enter(visitor) == ["confirm_subscription"]
    assert types(visitor.command("ping")) == ["pong"]
    assert time.monotonic() - began < 6
