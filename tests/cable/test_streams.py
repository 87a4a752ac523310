"""Stream logs on a real Valkey: positions, limits, lives, and messages that are appended once."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import pytest
import redis

from jiki_core.cable.anycable import (
    AnyCableAdapter,
    anycable_broadcast,
    disconnector,
    publish_to_anycable,
    publisher,
)
from jiki_core.cable.broadcast import encode_message, publish
from jiki_core.cable.history import entries_after, entries_since
from jiki_core.cable.keys import Keys
from jiki_core.cable.protocol import Position
from jiki_core.cable.streams import LogLimits, StreamLog
from jiki_core.testing import wait_until

S = "exercise/7/42"


def test_positions_count_from_one_within_an_epoch(client: redis.Redis) -> None:
    first, second = publish(client, S, {"n": 1}), publish(client, S, {"n": 2})
    assert first is not None
    assert second is not None
    assert (first.offset, second.offset) == (1, 2)
    assert first.epoch == second.epoch


def test_streams_count_apart(client: redis.Redis) -> None:
    publish(client, S, {"n": 1})
    other = publish(client, "other", {"n": 1})
    assert other is not None
    assert other.offset == 1


def test_the_log_gives_back_what_came_after_a_position(client: redis.Redis) -> None:
    positions = [publish(client, S, {"n": n}) for n in range(5)]
    page = StreamLog().page_after(client, S, 3)
    assert positions[2] is not None
    missed = entries_after(page, positions[2])
    assert missed is not None
    assert [entry.message for entry in missed] == [b'{"n":3}', b'{"n":4}']


def test_the_log_keeps_the_newest_hundred(client: redis.Redis) -> None:
    for n in range(130):
        publish(client, S, {"n": n})
    page = StreamLog().page(client, S)
    assert [entry.offset for entry in page.entries] == list(range(31, 131))
    assert entries_after(page, Position(page.position.epoch, 30)) is not None
    assert entries_after(page, Position(page.position.epoch, 29)) is None


def test_a_log_runs_out_before_its_counter(client: redis.Redis) -> None:
    log = StreamLog(LogLimits(seconds=1))
    log.append(client, S, b'{"n":1}')
    wait_until(lambda: not client.exists(Keys.of(client).log(S)), seconds=5)
    page = log.page(client, S)
    assert page.position.offset == 1
    assert entries_after(page, page.position) == ()
    assert entries_after(page, Position(page.position.epoch, 0)) is None
    position = log.append(client, S, b'{"n":2}')
    assert position is not None
    assert position.offset == 2


def test_a_durable_message_is_appended_once(client: redis.Redis) -> None:
    assert publish(client, S, {"n": 1}, durable_id="a") is not None
    assert publish(client, S, {"n": 1}, durable_id="a") is None
    assert publish(client, S, {"n": 2}, durable_id="b") is not None
    assert len(StreamLog().page(client, S).entries) == 2


def test_durable_ids_are_of_their_stream(client: redis.Redis) -> None:
    assert publish(client, S, {"n": 1}, durable_id="a") is not None
    assert publish(client, "other", {"n": 1}, durable_id="a") is not None


def test_a_transient_message_has_no_position_and_is_not_kept(client: redis.Redis) -> None:
    assert publish(client, S, {"n": 1}, transient=True) is None
    assert StreamLog().page(client, S).entries == ()


def test_concurrent_publishers_get_positions_of_their_own(client: redis.Redis) -> None:
    found: list[int] = []

    def publish_some() -> None:
        for _ in range(50):
            position = publish(client, S, {"n": 1})
            assert position is not None
            found.append(position.offset)

    threads = [threading.Thread(target=publish_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 201))


def test_subscribers_of_the_channel_hear_position_and_message(client: redis.Redis) -> None:
    listener: Any = client.pubsub()
    listener.subscribe(Keys.of(client).channel(S))
    wait_until(lambda: listener.get_message(timeout=1))
    position = publish(client, S, {"text": "two words"}, exclude_socket="sid-1")
    assert position is not None
    heard = wait_until(lambda: listener.get_message(timeout=1))
    listener.close()
    assert heard["data"] == f'm {position.epoch} 1 sid-1 {{"text":"two words"}}'.encode()


def test_a_lost_memory_begins_a_new_life(client: redis.Redis) -> None:
    before = publish(client, S, {"n": 1})
    assert before is not None
    client.flushall()
    after = publish(client, S, {"n": 2})
    assert after is not None
    assert after.epoch != before.epoch
    assert entries_after(StreamLog().page(client, S), before) is None


def test_a_restarted_valkey_begins_a_new_life_even_when_its_data_is_there(client: redis.Redis) -> None:
    before = publish(client, S, {"n": 1})
    assert before is not None
    # as after a restart from an append-only file: the data is there, written by another run
    client.hset(Keys.of(client).position(S), "run", "another")
    page = StreamLog().page(client, S)
    assert page.position.epoch != before.epoch
    assert page.entries == ()


def test_a_new_valkey_has_lost_nothing(client: redis.Redis) -> None:
    publish(client, S, {"n": 1})
    page = StreamLog().page(client, S)
    entry = page.entries[0]
    assert entries_since(page, entry.at / 1000 - 60) == (entry,)


def test_further_back_than_counters_live_nothing_is_known(client: redis.Redis) -> None:
    publish(client, S, {"n": 1})
    page = StreamLog().page(client, S)
    assert entries_since(page, page.entries[0].at / 1000 - 3_600) is None


def test_who_saw_a_memory_that_is_gone_knows_of_the_loss(client: redis.Redis) -> None:
    log = StreamLog()
    log.mark_birth(client)
    before = time.time() - 1
    publish(client, S, {"n": 1})
    client.flushall()
    publish(client, S, {"n": 2})
    assert entries_since(log.page(client, S), before) is None
    # and so does everybody after them
    assert entries_since(StreamLog().page(client, S), before) is None


def test_a_marker_of_another_run_is_a_sign_of_loss(client: redis.Redis) -> None:
    StreamLog().mark_birth(client)
    client.hset(Keys.of(client).born, "run", "another")
    before = time.time() - 1
    publish(client, S, {"n": 1})
    assert entries_since(StreamLog().page(client, S), before) is None


def test_a_loss_is_told_although_a_newcomer_marked_first(client: redis.Redis) -> None:
    witness = StreamLog()
    client.hset(Keys.of(client).born, mapping={"run": "another", "at": 0})
    witness._known_run = b"another"
    client.delete(Keys.of(client).born)
    StreamLog().mark_birth(client)
    assert StreamLog().page(client, S).known_since < (time.time() - 60) * 1000
    witness.mark_birth(client)
    assert StreamLog().page(client, S).known_since > (time.time() - 60) * 1000


def test_a_stream_that_never_was_has_nothing_to_miss(client: redis.Redis) -> None:
    page = StreamLog().page(client, S)
    assert entries_since(page, time.time() - 60) == ()
    assert entries_after(page, page.position) == ()


def test_keys_of_one_stream_share_a_slot(client: redis.Redis) -> None:
    keys = Keys.of(client)
    tags = {name.partition("{")[2].partition("}")[0] for name in (keys.position(S), keys.log(S), keys.seen(S, "a"))}
    assert tags == {S}


def test_channels_differ_by_database(valkey: Any) -> None:
    other = redis.Redis.from_url(valkey.url.removesuffix("0") + "3")
    assert Keys.of(other).channel(S) != Keys(0).channel(S)
    other.close()


@pytest.mark.parametrize("message", [{}, [], "text", None, 0, {"text": "a" * 300_000}])
def test_messages_that_clients_cannot_get_are_refused(client: redis.Redis, message: Any) -> None:
    with pytest.raises(ValueError, match="message"):
        publish(client, S, message)


@pytest.mark.parametrize("stream", ["", "a" * 256, "a\nb", "a\0"])
def test_impossible_names_are_refused(client: redis.Redis, stream: str) -> None:
    with pytest.raises(ValueError, match="name"):
        publish(client, stream, {"n": 1})


@pytest.mark.parametrize("sid", ["", "a b", "a" * 65, "ü"])
def test_an_impossible_socket_is_refused(client: redis.Redis, sid: str) -> None:
    with pytest.raises(ValueError, match="exclude_socket"):
        publish(client, S, {"n": 1}, exclude_socket=sid)


def test_a_broadcast_for_anycable_is_json_within_json() -> None:
    described = anycable_broadcast(S, {"kind": "progress"}, exclude_socket="p7Qe", transient=True)
    assert described == (
        b'{"stream":"exercise/7/42","data":"{\\"kind\\":\\"progress\\"}",'
        b'"meta":{"exclude_socket":"p7Qe","transient":true}}'
    )
    assert b"meta" not in anycable_broadcast(S, {"kind": "progress"})


def test_anycable_is_fed_through_its_stream_or_its_channel(client: redis.Redis) -> None:
    publish_to_anycable(client, S, {"n": 1})
    entries: Any = client.xrange("__anycable__")
    assert entries[0][1] == {b"payload": anycable_broadcast(S, {"n": 1})}
    listener: Any = client.pubsub()
    listener.subscribe("__anycable__")
    wait_until(lambda: listener.get_message(timeout=1))
    publish_to_anycable(client, S, {"n": 2}, adapter=AnyCableAdapter.REDIS)
    heard = wait_until(lambda: listener.get_message(timeout=1))
    listener.close()
    assert heard["data"] == anycable_broadcast(S, {"n": 2})


def test_a_durable_message_is_handed_to_anycable_once(client: redis.Redis) -> None:
    for _ in range(3):
        publish_to_anycable(client, S, {"n": 1}, durable_id="outbox-1")
    publish_to_anycable(client, S, {"n": 2}, durable_id="outbox-2")
    entries: Any = client.xrange("__anycable__")
    assert [fields[b"payload"] for _, fields in entries] == [anycable_broadcast(S, {"n": n}) for n in (1, 2)]


@pytest.mark.parametrize(("session_id", "reconnect"), [(None, "false"), ("s1", "true")])
def test_anycable_is_told_whom_to_disconnect(client: redis.Redis, session_id: str | None, reconnect: str) -> None:
    disconnector(client, "redisx")(42, session_id=session_id)
    ((_, fields),) = cast(Any, client.xrange("__anycable__"))
    assert fields[b"payload"] == (
        b'{"command":"disconnect","payload":{"identifier":"{\\"user_id\\":42}","reconnect":%b}}' % reconnect.encode()
    )


def test_the_configuration_says_who_is_told(client: redis.Redis) -> None:
    assert publisher(client, "")(S, {"n": 1}) is not None
    assert client.exists("__anycable__") == 0
    publisher(client, "redisx")(S, {"n": 2})
    assert client.xlen("__anycable__") == 1


def test_dates_become_text() -> None:
    from datetime import UTC, datetime

    assert encode_message({"at": datetime(2026, 11, 22, tzinfo=UTC)}) == b'{"at":"2026-11-22T00:00:00+00:00"}'
