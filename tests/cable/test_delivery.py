"""Messages of streams: live, missed, held at the seam, restored; each once, in order, or the loss is told (realtime.md 1.5,
1.8 to 1.10). A real Valkey and the hub's real thread; the sockets are in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import redis

from jiki_core.cable import CableLimits, Channel, action, disconnect_user, publish, sign_stream, signed_stream_channel
from jiki_core.cable.broadcast import publish_unlogged
from jiki_core.cable.keys import Keys
from jiki_core.cable.protocol import Dialect
from jiki_core.cable.sessions import find_session
from jiki_core.testing import wait_until

SECRET = "s" * 32


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


# Live


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


# History


def reconnect_request(last: Mapping[str, Any], since: float = 0) -> dict[str, Any]:
    return {"since": since, "streams": {last["stream_id"]: {"offset": last["offset"], "epoch": last["epoch"]}}}


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


# Sessions


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


# Whispers, presence, signed streams


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


# Pause, revocation, restart


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
