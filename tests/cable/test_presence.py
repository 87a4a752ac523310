"""Who is there, on a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from jiki_core.cable.keys import Keys
from jiki_core.cable.presence import Member, Presence, PresenceInvalid, info_message
from jiki_core.testing import wait_until

S = "pair/3"
ADA = Member("42", {"name": "Ada/Ü"})


class Announcements:
    """What a stream's channel announces."""

    def __init__(self, client: redis.Redis) -> None:
        self._listener: Any = client.pubsub()
        self._listener.subscribe(Keys.of(client).channel(S))
        wait_until(lambda: self._listener.get_message(timeout=1))

    def all(self) -> list[str]:
        found = []
        while heard := self._listener.get_message(timeout=0.1):
            found.append(heard["data"].decode().removeprefix("p - 0 - "))
        return found

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def announced(client: redis.Redis) -> Iterator[Announcements]:
    announcements = Announcements(client)
    yield announcements
    announcements.close()


JOINED = '{"type":"join","id":"42","info":{"name":"Ada/Ü"}}'
LEFT = '{"type":"leave","id":"42"}'


def test_joining_and_leaving_are_announced(client: redis.Redis, announced: Announcements) -> None:
    presence = Presence()
    presence.join(client, S, "sid-1", ADA)
    assert presence.records(client, S) == [ADA.encode()]
    presence.leave(client, S, "sid-1")
    assert announced.all() == [JOINED, LEFT]
    assert presence.records(client, S) == []


def test_an_id_with_two_sockets_is_announced_once_and_leaves_with_the_last(
    client: redis.Redis, announced: Announcements
) -> None:
    presence = Presence()
    presence.join(client, S, "sid-1", ADA)
    presence.join(client, S, "sid-2", ADA)
    presence.join(client, S, "sid-2", ADA)
    presence.leave(client, S, "sid-1")
    assert announced.all() == [JOINED]
    presence.leave(client, S, "sid-2")
    assert announced.all() == [LEFT]


def test_a_socket_that_joins_as_another_leaves_as_the_first(client: redis.Redis, announced: Announcements) -> None:
    presence = Presence()
    presence.join(client, S, "sid-1", ADA)
    presence.join(client, S, "sid-1", Member("7"))
    assert announced.all() == [JOINED, LEFT, '{"type":"join","id":"7"}']


def test_who_vanished_is_announced_after_a_while_by_whoever_looks(
    client: redis.Redis, announced: Announcements
) -> None:
    presence = Presence(seconds=1)
    presence.join(client, S, "sid-1", ADA)
    presence.join(client, S, "sid-2", Member("7"))

    def one_is_left() -> bool:
        presence.stay(client, S, ["sid-2"])
        return len(presence.records(client, S)) == 1

    wait_until(one_is_left, seconds=10)
    assert announced.all() == [JOINED, '{"type":"join","id":"7"}', LEFT]


def test_staying_brings_nobody_back(client: redis.Redis) -> None:
    presence = Presence()
    presence.stay(client, S, ["sid-1"])
    assert presence.records(client, S) == []


def test_leaving_without_having_joined_is_nothing(client: redis.Redis, announced: Announcements) -> None:
    Presence().leave(client, S, "sid-1")
    assert announced.all() == []


@pytest.mark.parametrize(
    "given", [None, [], {}, {"id": 42}, {"id": ""}, {"id": "a" * 129}, {"id": "a", "info": "b" * 5_000}]
)
def test_what_is_no_presence_is_refused(given: Any) -> None:
    with pytest.raises(PresenceInvalid):
        Member.parse(given)


def test_a_channel_may_say_who_somebody_is() -> None:
    assert Member.parse({"id": "somebody else", "info": 1}, required_id="42") == Member("42", 1)


@pytest.mark.parametrize(
    ("with_records", "expected"),
    [(True, b'{"type":"info","total":1,"records":[{"id":"7"}]}'), (False, b'{"type":"info","total":1}')],
)
def test_the_list_of_records_is_given_when_asked_for(with_records: bool, expected: bytes) -> None:
    assert info_message([b'{"id":"7"}'], with_records=with_records) == expected
