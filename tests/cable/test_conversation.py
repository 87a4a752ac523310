"""One socket's conversation over a socket in memory, with time that tests move (realtime.md 1.3 to 1.7, 1.11)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from jiki_core.cable import CableLimits, Channel, Rate, action
from jiki_core.cable.protocol import Dialect
from jiki_core.errors import DomainError


@dataclass(frozen=True)
class RoomParams:
    id: int


class RoomFull(DomainError):
    symbol = "test_room_full"
    status = 422


class RoomChannel(Channel):
    """Does what its room's number says."""

    Params = RoomParams
    truth = "GET /rooms/{id}"
    rate = Rate(5, per_seconds=1.0)

    def subscribed(self) -> None:
        if self.params.id == 13:
            self.reject()
        elif self.params.id == 14:
            raise RuntimeError("subscribed fails")
        elif self.params.id == 15:
            raise RoomFull()
        elif self.params.id == 16:
            self.transmit({"first": "state"})
        elif self.params.id == 17:
            raise ConnectionError("the database is away")

    @action
    def echo(self, data: Mapping[str, Any]) -> None:
        self.transmit({"echo": dict(data)})

    @action
    def receive(self, data: Mapping[str, Any]) -> None:
        self.transmit({"received": dict(data)})

    @action
    def fail(self, data: Mapping[str, Any]) -> None:
        self.transmit({"never": "seen"})
        raise RuntimeError("the action fails")

    @action
    def lean_on_the_database(self, data: Mapping[str, Any]) -> None:
        raise ConnectionError("the database is away")

    @action
    def overflow(self, data: Mapping[str, Any]) -> None:
        raise RoomFull(max=3)

    @action(payload=RoomParams)
    def move(self, params: RoomParams) -> None:
        self.transmit({"moved": params.id})

    def secret(self, data: Mapping[str, Any]) -> None:
        self.transmit({"secret": True})


class KeyedChannel(Channel):
    permission = "rooms.enter"
    truth = "GET /rooms"


ROOM = '{"channel":"RoomChannel","id":7}'
DATA = {"identifier": ROOM}


def room(number: int) -> str:
    return orjson.dumps({"channel": "RoomChannel", "id": number}).decode()


def confirmed(identifier: str) -> dict[str, Any]:
    return {"identifier": identifier, "type": "confirm_subscription"}


def rejected(identifier: str) -> dict[str, Any]:
    return {"identifier": identifier, "type": "reject_subscription"}


# Welcome and pings


def test_the_server_speaks_first_and_gives_extended_clients_a_sid(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    assert desk.connect(dialect=Dialect.BASE).transport.take() == [{"type": "welcome"}]
    visitor = desk.connect()
    assert visitor.transport.take() == [{"type": "welcome", "sid": visitor.connection.sid}]


def test_a_client_without_a_subprotocol_is_spoken_to_in_the_base_dialect(make_desk: Any) -> None:
    assert make_desk(RoomChannel).connect(dialect=None).transport.take() == [{"type": "welcome"}]


def _pings(visitor: Any) -> list[int]:
    return [said["message"] for said in visitor.transport.said if said.get("type") == "ping"]


def test_pings_come_every_three_seconds_and_carry_the_time(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    desk.pass_time(4.5)
    assert len(_pings(visitor)) >= 1
    visitor.transport.take()
    desk.pass_time(30, step=0.1)
    pings = _pings(visitor)
    assert len(pings) in (9, 10, 11)
    assert pings[-1] - pings[0] == pytest.approx(3 * (len(pings) - 1), abs=2)
    assert abs(pings[-1] - (desk.time.began + desk.time.seconds)) < 4


def test_first_pings_are_spread(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitors = [desk.connect() for _ in range(60)]
    desk.pass_time(1.4, step=0.1)
    assert not any(_pings(visitor) for visitor in visitors)
    desk.pass_time(1.5, step=0.1)
    early = sum(bool(_pings(visitor)) for visitor in visitors)
    assert 10 < early < 50
    desk.pass_time(1.7, step=0.1)
    assert all(_pings(visitor) for visitor in visitors)


@pytest.mark.parametrize(("precision", "factor"), [("s", 1), ("ms", 1_000), ("ns", 1_000_000_000), ("x", 1)])
def test_a_client_may_choose_interval_and_precision(make_desk: Any, precision: str, factor: int) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect(query=f"pi=10&ptp={precision}")
    desk.pass_time(45)
    pings = _pings(visitor)
    assert len(pings) in (3, 4)
    assert pings[1] - pings[0] == pytest.approx(10 * factor, rel=0.1)


@pytest.mark.parametrize("interval", ["0", "-1", "x", "99999999999999999999", "²"])
def test_an_impossible_interval_is_ignored(make_desk: Any, interval: str) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect(query=f"pi={interval}")
    desk.pass_time(12)
    assert len(_pings(visitor)) in (3, 4)


def test_a_clients_ping_is_answered(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.transport.take()
    assert visitor.command("ping") == [{"type": "pong"}]


def test_websocket_pings_keep_the_line_open(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    for _ in range(20):
        visitor.transport.heard_at = desk.time.seconds
        desk.pass_time(3)
    assert visitor.transport.frames.count(b"\x89\x00") in (3, 4)


def test_a_peer_from_which_nothing_comes_is_gone(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    desk.pass_time(60)
    assert visitor.transport.said[-1] == {"type": "disconnect", "reason": "no_pong", "reconnect": True}
    assert visitor.transport.closed == (1000, "No Pong")


def test_a_client_that_stops_its_pongs_is_gone(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    silent, answering = desk.connect(), desk.connect()
    silent.command("pong")
    for _ in range(8):
        for visitor in (silent, answering):
            visitor.transport.heard_at = desk.time.seconds
        answering.command("pong")
        desk.pass_time(3)
    assert silent.transport.closed == (1000, "No Pong")
    assert answering.transport.closed is None


def test_a_client_that_never_sent_a_pong_is_not_asked_for_any(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    for _ in range(20):
        visitor.transport.heard_at = desk.time.seconds
        desk.pass_time(3)
    assert visitor.transport.closed is None


def test_an_identity_that_runs_out_ends_the_socket_at_once(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect(expires_in=10)
    desk.pass_time(9.8, step=0.1)
    assert visitor.transport.closed is None
    desk.pass_time(0.5, step=0.1)
    assert visitor.transport.said[-1] == {"type": "disconnect", "reason": "token_expired", "reconnect": False}
    assert visitor.transport.closed is not None


# Subscribing


def test_a_subscription_is_confirmed_once(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.transport.take()
    assert visitor.command("subscribe", ROOM) == [confirmed(ROOM)]
    assert visitor.command("subscribe", ROOM) == []
    assert visitor.command("subscribe", ROOM) == []


def test_two_spellings_are_two_subscriptions(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.transport.take()
    for spelling in (ROOM, '{"id":7,"channel":"RoomChannel"}', '{"channel": "RoomChannel", "id": 7}'):
        assert visitor.command("subscribe", spelling) == [confirmed(spelling)]
    assert len(visitor.connection.subscriptions) == 3


@pytest.mark.parametrize(
    "identifier",
    [
        room(13),
        room(14),
        room(15),
        '{"channel":"NoChannel"}',
        '{"channel":"RoomChannel"}',
        '{"channel":"RoomChannel","id":"7"}',
        '{"channel":"Channel"}',
        "not json",
        '{"channel":"RoomChannel","id":7,"pad":"' + "a" * 5_000 + '"}',
    ],
)
def test_what_cannot_be_subscribed_to_is_rejected_and_may_be_tried_again(make_desk: Any, identifier: str) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.transport.take()
    assert visitor.command("subscribe", identifier) == [rejected(identifier)]
    assert visitor.command("subscribe", identifier) == [rejected(identifier)]
    assert visitor.command("subscribe", ROOM) == [confirmed(ROOM)]


def test_a_permission_is_asked_for(make_desk: Any) -> None:
    desk = make_desk(KeyedChannel)
    visitor = desk.connect()
    visitor.transport.take()
    keyed = '{"channel":"KeyedChannel"}'
    desk.permissions.clear()
    assert visitor.command("subscribe", keyed) == [rejected(keyed)]
    desk.permissions.add("rooms.enter")
    assert visitor.command("subscribe", keyed) == [confirmed(keyed)]


def test_the_confirmation_goes_before_what_subscribed_says(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.transport.take()
    assert visitor.command("subscribe", room(16)) == [
        confirmed(room(16)),
        {"identifier": room(16), "message": {"first": "state"}},
    ]


def test_a_subscribe_waits_for_a_database_that_is_away(make_desk: Any) -> None:
    desk = make_desk(KeyedChannel)
    visitor = desk.connect()
    visitor.transport.take()
    keyed = '{"channel":"KeyedChannel"}'
    desk.failure = ConnectionError("the database is away")
    assert visitor.command("subscribe", keyed) == []
    assert visitor.command("subscribe", keyed) == []  # @anycable/core repeats it after five seconds
    desk.time.advance(6)
    visitor.connection.attend(is_idle=True)
    assert visitor.transport.take() == []
    desk.failure = None
    desk.time.advance(1)
    visitor.connection.attend(is_idle=True)
    assert visitor.transport.take() == [confirmed(keyed)]


def test_who_waits_long_for_an_answer_is_not_taken_for_silent(make_desk: Any) -> None:
    desk = make_desk(KeyedChannel)
    visitor = desk.connect()
    visitor.command("pong")
    visitor.transport.take()
    desk.failure = ConnectionError("the database is away")
    visitor.command("subscribe", '{"channel":"KeyedChannel"}')
    desk.time.advance(1)
    desk.failure = None
    turns = iter([15.0])  # seconds until it is its turn

    @contextlib.contextmanager
    def late(_identity: Any) -> Iterator[None]:
        desk.pass_time(next(turns, 0.0))
        yield

    desk.app_context = late
    visitor.connection.attend(is_idle=True)
    assert visitor.transport.closed is None
    assert visitor.transport.take() == [confirmed('{"channel":"KeyedChannel"}')]


@pytest.mark.parametrize("failure", [ConnectionError("the database is away"), RuntimeError("a guard that is broken")])
def test_a_guard_that_fails_lets_nobody_in_and_rejects_nobody_for_good(make_desk: Any, failure: Exception) -> None:
    desk = make_desk(KeyedChannel)
    visitor = desk.connect()
    visitor.transport.take()
    desk.failure = failure
    assert visitor.command("subscribe", '{"channel":"KeyedChannel"}') == []
    for _ in range(8):
        assert visitor.connection.is_open
        desk.time.advance(1)
        visitor.connection.attend(is_idle=True)
    assert visitor.connection.subscriptions == {}
    assert visitor.transport.take() == [{"type": "disconnect", "reason": "unavailable", "reconnect": True}]


def test_a_subscribe_during_an_outage_that_lasts_is_not_rejected_for_good(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    visitor.transport.take()
    assert visitor.command("subscribe", room(17)) == []
    assert visitor.command("subscribe", ROOM) == [confirmed(ROOM)]
    for _ in range(8):
        desk.time.advance(1)
        visitor.connection.attend(is_idle=True)
    assert visitor.transport.take() == [{"type": "disconnect", "reason": "unavailable", "reconnect": True}]
    assert visitor.transport.closed == (1000, "Try again later")


def test_who_left_while_waiting_for_its_turn_costs_nothing(make_desk: Any) -> None:
    asked: list[Any] = []
    desk = make_desk(RoomChannel, authenticate=lambda environ: asked.append(environ))
    gone = desk.transport(Dialect.EXTENDED)
    gone.closed = (1006, "")
    desk.server.serve(gone)
    assert asked == []


def test_no_more_commands_run_at_one_time_than_are_allowed(make_desk: Any) -> None:
    desk = make_desk(RoomChannel, limits=CableLimits(max_at_work=3))
    at_work, most, lock = 0, 0, threading.Lock()

    @contextlib.contextmanager
    def counted(_identity: Any) -> Iterator[None]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.02)  # what a channel's code takes
        yield
        with lock:
            at_work -= 1

    desk.app_context = counted
    visitors = [desk.connect() for _ in range(20)]
    threads = [threading.Thread(target=visitor.command, args=("subscribe", ROOM)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 3
    assert all(visitor.connection.subscriptions for visitor in visitors)


def test_there_is_a_limit_of_subscriptions(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel, limits=CableLimits(max_subscriptions=3)).connect()
    visitor.transport.take()
    answers = [visitor.command("subscribe", room(n))[0]["type"] for n in range(4)]
    assert answers == ["confirm_subscription"] * 3 + ["reject_subscription"]
    visitor.command("unsubscribe", room(0))
    assert visitor.command("subscribe", room(5)) == [confirmed(room(5))]


def test_unsubscribe_and_subscribe_back_to_back_end_in_a_subscription(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.transport.take()
    visitor.command("subscribe", ROOM)
    assert visitor.command("unsubscribe", ROOM) == []
    assert visitor.command("subscribe", ROOM) == [confirmed(ROOM)]
    assert visitor.perform(ROOM, action="echo", n=1) == [{**DATA, "message": {"echo": {"n": 1}}}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '{"command":"fly"}',
        '{"command":"unsubscribe","identifier":"unknown"}',
        '{"command":"message","identifier":"unknown","data":"{}"}',
        '{"command":"history","identifier":"unknown","history":{"since":0}}',
        '{"command":"message","identifier":' + orjson.dumps(ROOM).decode() + ',"data":"not json"}',
        '{"command":"message","identifier":' + orjson.dumps(ROOM).decode() + ',"data":"[]"}',
        '{"command":"message","identifier":' + orjson.dumps(ROOM).decode() + "}",
        '{"command":"whisper","identifier":' + orjson.dumps(ROOM).decode() + ',"data":{"a":1}}',
    ],
)
def test_nonsense_is_not_answered_and_the_conversation_goes_on(make_desk: Any, text: str) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.command("subscribe", ROOM)
    visitor.connection.handle(text)
    assert visitor.transport.take() == []
    assert visitor.perform(ROOM, action="echo") == [{**DATA, "message": {"echo": {}}}]


# Performing


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"action": "echo", "n": 1}, {"echo": {"n": 1}}),
        ({"n": 1}, {"received": {"n": 1}}),
        ({"action": "move", "id": 9}, {"moved": 9}),
        ({"action": "secret"}, {"error": {"type": "unknown_action"}}),
        ({"action": "subscribed"}, {"error": {"type": "unknown_action"}}),
        ({"action": "__init__"}, {"error": {"type": "unknown_action"}}),
        ({"action": 7}, {"error": {"type": "unknown_action"}}),
        ({"action": "lean_on_the_database"}, {"error": {"type": "unavailable"}}),
        ({"action": "overflow"}, {"error": {"type": "test_room_full", "max": 3}}),
        ({"action": "fail"}, {"error": {"type": "internal_error"}}),
        (
            {"action": "move", "id": "9"},
            {"error": {"type": "validation_error", "errors": {"id": [{"error": "invalid"}]}}},
        ),
    ],
)
def test_an_action_is_answered_as_data(make_desk: Any, data: dict[str, Any], message: dict[str, Any]) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.command("subscribe", ROOM)
    assert visitor.perform(ROOM, **data) == [{**DATA, "message": message}]


def test_what_an_action_says_leaves_after_its_commit_and_not_at_all_when_it_fails(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    visitor.command("subscribe", ROOM)
    desk.committed.clear()
    visitor.perform(ROOM, action="echo")
    visitor.perform(ROOM, action="fail")
    assert desk.committed == ["committed", "rolled back"]


def test_a_failing_action_hurts_only_itself(make_desk: Any) -> None:
    visitor = make_desk(RoomChannel).connect()
    visitor.command("subscribe", ROOM)
    visitor.command("subscribe", room(8))
    visitor.perform(ROOM, action="fail")
    for identifier in (ROOM, room(8)):
        assert visitor.perform(identifier, action="echo")[0]["message"] == {"echo": {}}


def test_a_channels_rate_is_its_own(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    visitor.command("subscribe", ROOM)
    visitor.command("subscribe", room(8))
    answers = [visitor.perform(ROOM, action="echo")[0]["message"] for _ in range(7)]
    assert answers == [{"echo": {}}] * 5 + [{"error": {"type": "rate_limited"}}] * 2
    assert visitor.perform(room(8), action="echo")[0]["message"] == {"echo": {}}
    desk.time.advance(1)
    assert visitor.perform(ROOM, action="echo")[0]["message"] == {"echo": {}}


def test_commands_that_come_too_fast_wait_their_turn(make_desk: Any) -> None:
    desk = make_desk(RoomChannel, limits=CableLimits(commands=Rate(20, per_seconds=1, burst=20)))
    visitor = desk.connect()
    before = desk.time.seconds
    for _ in range(120):
        assert visitor.command("ping")[-1] == {"type": "pong"}
    assert desk.time.seconds - before == pytest.approx(5, abs=0.1)


def test_rails_repeats_never_wait(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    before = desk.time.seconds
    for _ in range(60):
        for number in range(9):
            visitor.command("subscribe", room(number))
        desk.time.advance(0.5)
    assert desk.time.seconds - before == pytest.approx(30)


# Pause


def test_a_paused_plugins_subscription_answers_that_it_is_paused(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    visitor.command("subscribe", ROOM)
    desk.paused.add("rooms")
    assert visitor.perform(ROOM, action="echo") == [{**DATA, "message": {"error": {"type": "plugin_paused"}}}]
    desk.paused.clear()
    assert visitor.perform(ROOM, action="echo") == [{**DATA, "message": {"echo": {}}}]


def test_a_new_subscription_waits_for_a_paused_plugin(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    visitor.transport.take()
    desk.paused.add("rooms")
    assert visitor.command("subscribe", ROOM) == []
    desk.time.advance(3.9)
    visitor.connection.attend(is_idle=True)
    assert visitor.transport.take() == []
    assert visitor.command("subscribe", ROOM) == []
    desk.paused.clear()
    visitor.connection.attend(is_idle=True)
    assert visitor.transport.take() == [confirmed(ROOM)]


def test_a_pause_that_lasts_rejects_it(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    visitor.transport.take()
    desk.paused.add("rooms")
    visitor.command("subscribe", ROOM)
    desk.time.advance(4)
    visitor.connection.attend(is_idle=True)
    assert visitor.transport.take() == [rejected(ROOM)]


def test_a_client_that_leaves_while_it_waits_is_not_answered(make_desk: Any) -> None:
    desk = make_desk(RoomChannel)
    visitor = desk.connect()
    visitor.transport.take()
    desk.paused.add("rooms")
    visitor.command("subscribe", ROOM)
    visitor.command("unsubscribe", ROOM)
    desk.paused.clear()
    visitor.connection.attend(is_idle=True)
    assert visitor.transport.take() == []


# The end


def test_unsubscribed_is_called_when_a_client_leaves_or_its_socket_ends(make_desk: Any) -> None:
    left: list[int] = []

    class LeavingChannel(Channel):
        Params = RoomParams
        truth = "GET /rooms"

        def unsubscribed(self) -> None:
            left.append(self.params.id)
            if self.params.id == 2:
                raise RuntimeError("unsubscribed fails")

    visitor = make_desk(LeavingChannel).connect()
    for number in (1, 2, 3):
        visitor.command("subscribe", orjson.dumps({"channel": "LeavingChannel", "id": number}).decode())
    visitor.command("unsubscribe", '{"channel":"LeavingChannel","id":1}')
    assert left == [1]
    visitor.leave()
    assert left == [1, 2, 3]


def test_a_disconnected_conversation_says_nothing_more(make_desk: Any) -> None:
    from jiki_core.cable.protocol import DisconnectReason

    visitor = make_desk(RoomChannel).connect()
    visitor.transport.take()
    visitor.connection.disconnect(DisconnectReason.REMOTE, reconnect=False)
    visitor.connection.disconnect(DisconnectReason.SERVER_RESTART, reconnect=True)
    assert visitor.transport.take() == [{"type": "disconnect", "reason": "remote", "reconnect": False}]
