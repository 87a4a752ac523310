"""The cable on the whole app: real sessions, permissions, the outbox, pauses and a small pool, through the client of tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import orjson
import psycopg
import pytest
from flask import Flask
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from jiki_auth.commands.manage_roles import revoke_role
from jiki_core.cable import cable_of, issue_cable_token
from jiki_core.db import unit_of_work
from jiki_core.jobs.relay import publish_broadcasts
from jiki_core.plugins.pausing import pause_plugin, resume_plugin
from jiki_core.runtime import runtime_of
from jiki_core.testing import CableClient, SubscriptionRejected, count_queries, drain_outbox, wait_until

RADIO = """
    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Permission("radio.direct", "Direct the radio", roles=("admin",))]

    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        from acme_radio.channels import DirectorsChannel, RadioChannel

        return [DirectorsChannel, RadioChannel]
"""
CHANNELS = """
from __future__ import annotations
from dataclasses import dataclass
from jiki_core.cable import Channel, action
from sqlalchemy import text

meetings = []

@dataclass(frozen=True)
class RadioParams:
    seconds: float = 0.0

class RadioChannel(Channel):
    Params = RadioParams
    truth = "GET /api/v1/internal/notifications"

    def subscribed(self) -> None:
        if self.params.seconds:
            self.uow.session.execute(text("select pg_sleep(:seconds)"), {"seconds": self.params.seconds})
        self.stream_from("radio")

    @action
    def meet_another(self, data):
        meetings.append(1)
        self.transmit({"met": len(meetings)})
        if len(meetings) == 1:
            self.uow.session.execute(text("do $$ begin raise exception using errcode = '40001'; end $$"))

    @action
    def say(self, data):
        self.uow.broadcast("radio", {"said": data["words"]}, durable=True)

class DirectorsChannel(Channel):
    permission = "radio.direct"
    truth = "GET /api/v1/internal/notifications"

    def subscribed(self) -> None:
        self.stream_from("directors")
"""


@pytest.fixture
def radio(made_plugins: Any, app_with: Any) -> Iterator[Flask]:
    made_plugins.add("radio", RADIO, files={"channels.py": CHANNELS})
    app = app_with("auth")
    runtime_of(app).redis.flushdb()
    yield app
    cable_of(app).stop()


@pytest.fixture
def sign_in(radio: Flask) -> Any:
    """`sign_in(is_admin=…)`: a new user and a client with its cookie."""
    from jiki_auth.testing import make_user, signed_in

    def enter(**options: Any) -> tuple[Any, Any]:
        user = make_user(radio, **options)
        return user, signed_in(radio, user)

    return enter


def pause(app: Flask, name: str) -> None:
    with app.app_context(), unit_of_work() as uow:
        pause_plugin(uow, name, reason="repairs")


def resume(app: Flask, name: str) -> None:
    with app.app_context(), unit_of_work() as uow:
        resume_plugin(uow, name)


def test_a_notification_comes_once_although_the_relay_repeats_itself(radio: Flask, sign_in: Any) -> None:
    user, client = sign_in()
    with CableClient(radio, client) as cable:
        mine = cable.subscribe("NotificationsChannel")
        with radio.app_context(), unit_of_work() as uow:
            uow.notify(user.id, "radio.rang", {"n": 1})
        drain_outbox(radio)
        told = mine.receive()
        assert (told["type"], told["data"]) == ("radio.rang", {"n": 1})
        with radio.app_context(), unit_of_work() as uow:
            uow.session.execute(text("update core.outbox set state = 'new' where kind = 'broadcast'"))
        with radio.app_context():
            assert publish_broadcasts() == 1
            runtime_of(radio).publish(f"notifications/{user.id}", {"type": "last"})
        assert mine.receive() == {"type": "last"}
    (kept,) = client.get("internal/notifications").expect(200).body["results"]
    assert (kept["id"], kept["type"]) == (told["id"], told["type"])


def test_a_durable_broadcast_of_an_action_goes_through_the_outbox(radio: Flask, sign_in: Any) -> None:
    with CableClient(radio, sign_in()[1]) as cable, CableClient(radio, sign_in()[1]) as other:
        here, there = cable.subscribe("RadioChannel"), other.subscribe("RadioChannel")
        here.perform("say", words="good evening")
        wait_until(lambda: drain_outbox(radio) or there.messages, seconds=5)
        assert here.receive() == there.receive() == {"said": "good evening"}


def test_an_action_whose_transaction_met_another_one_runs_again(radio: Flask, sign_in: Any) -> None:
    with CableClient(radio, sign_in()[1]) as cable:
        tuned = cable.subscribe("RadioChannel")
        tuned.perform("meet_another")
        assert tuned.receive() == {"met": 2}


def test_a_permission_decides_who_may_subscribe(radio: Flask, sign_in: Any) -> None:
    with CableClient(radio, sign_in()[1]) as learner, pytest.raises(SubscriptionRejected):
        learner.subscribe("DirectorsChannel")
    with CableClient(radio, sign_in(is_admin=True)[1]) as admin:
        admin.subscribe("DirectorsChannel")


def test_a_pause_is_felt_on_open_sockets_within_a_second_and_nothing_is_lost(radio: Flask, sign_in: Any) -> None:
    publish = runtime_of(radio).publish
    user, client = sign_in()
    with CableClient(radio, client) as cable, CableClient(radio, client) as late:
        tuned, mine = cable.subscribe("RadioChannel"), cable.subscribe("NotificationsChannel")
        pause(radio, "radio")
        began = time.monotonic()
        wait_until(lambda: runtime_of(radio).plugins.is_paused("radio"), seconds=2)
        assert time.monotonic() - began < 1
        publish("radio", {"n": 1})
        tuned.perform("say", words="nobody hears this")
        assert tuned.receive() == {"error": {"type": "plugin_paused"}}
        waiting: list[Any] = []
        entering = threading.Thread(target=lambda: waiting.append(late.subscribe("RadioChannel")))
        entering.start()
        publish(f"notifications/{user.id}", {"type": "others.go_on"})
        assert mine.receive() == {"type": "others.go_on"}
        assert tuned.messages == [{"error": {"type": "plugin_paused"}}]
        assert waiting == []
        resume(radio, "radio")
        entering.join(5)
        assert len(waiting) == 1
        assert tuned.receive() == {"n": 1}
        publish("radio", {"n": 2})
        assert tuned.receive() == waiting[0].receive() == {"n": 2}


def test_a_pause_that_lasts_rejects_new_subscribes_after_four_seconds(radio: Flask, sign_in: Any) -> None:
    with CableClient(radio, sign_in()[1]) as cable:
        pause(radio, "radio")
        wait_until(lambda: runtime_of(radio).plugins.is_paused("radio"), seconds=2)
        began = time.monotonic()
        with pytest.raises(SubscriptionRejected):
            cable.subscribe("RadioChannel")
        assert 3.5 < time.monotonic() - began < 6
        cable.subscribe("NotificationsChannel")


def test_signing_out_ends_the_socket_within_a_second(radio: Flask, sign_in: Any) -> None:
    _, client = sign_in()
    with CableClient(radio, client) as cable, CableClient(radio, sign_in()[1]) as other:
        mine = cable.subscribe("NotificationsChannel")
        other.subscribe("NotificationsChannel")
        began = time.monotonic()
        client.delete("auth/logout")
        assert cable.disconnected() == {"type": "disconnect", "reason": "remote", "reconnect": False}
        assert time.monotonic() - began < 1
        assert other.is_open
        assert mine.messages == []


def test_who_loses_a_role_comes_back_without_it(radio: Flask, sign_in: Any) -> None:
    admin, client = sign_in(is_admin=True)
    with CableClient(radio, client) as cable:
        cable.subscribe("DirectorsChannel")
        with radio.app_context(), unit_of_work() as uow:
            revoke_role(uow, admin.id, "admin")
        assert cable.disconnected() == {"type": "disconnect", "reason": "remote", "reconnect": True}
    with CableClient(radio, client) as again, pytest.raises(SubscriptionRejected):
        again.subscribe("DirectorsChannel")


def test_an_anycable_in_front_is_told_of_a_sign_out(made_plugins: Any, app_with: Any) -> None:
    from jiki_auth.testing import make_user, signed_in

    app = app_with("auth", JIKI_CABLE_ANYCABLE="redisx")
    valkey = runtime_of(app).redis
    valkey.flushdb()
    user = make_user(app)
    signed_in(app, user).delete("auth/logout")
    ((_, fields),) = cast(Any, valkey.xrange("__anycable__"))
    assert orjson.loads(fields[b"payload"]) == {
        "command": "disconnect",
        "payload": {"identifier": orjson.dumps({"user_id": user.id}).decode(), "reconnect": True},
    }


def test_a_revocation_that_crossed_the_handshake_is_found_out_soon(radio: Flask, sign_in: Any) -> None:
    user, client = sign_in()
    token = client.post("internal/cable_token").expect(200).body["token"]
    with CableClient(radio, token=token) as cable:
        assert cable.is_welcome
        with radio.app_context(), unit_of_work() as uow:  # as if its message had come before the socket was known
            uow.session.execute(text("delete from auth.sessions where user_id = :id"), {"id": user.id})
        assert cable.disconnected(3) == {"type": "disconnect", "reason": "remote", "reconnect": False}


def _token(app: Flask, user_id: int, session_id: str | None, seconds: int = 300) -> str:
    key = runtime_of(app).settings.cable_key
    return issue_cable_token(key, user_id, session_id=session_id, now=time.time(), seconds=seconds)


def test_tokens_that_open_nothing(radio: Flask, sign_in: Any) -> None:
    user, client = sign_in()
    token = client.post("internal/cable_token").expect(200).body["token"]
    client.delete("auth/logout")
    of_nobody = _token(radio, user.id, "0" * 32)
    for refused, reason in (
        (_token(radio, user.id, None), "unauthorized"),
        (of_nobody, "unauthorized"),
        (token, "unauthorized"),
        (token[:-2], "unauthorized"),
        ("", "unauthorized"),
        (_token(radio, user.id, "0" * 32, seconds=-1), "token_expired"),
    ):
        with CableClient(radio, token=refused) as cable:
            assert cable.disconnected() == {"type": "disconnect", "reason": reason, "reconnect": False}


def test_while_nobody_can_say_who_it_is_clients_are_not_sent_away_for_good(radio: Flask, sign_in: Any) -> None:
    _, client = sign_in()
    token = client.post("internal/cable_token").expect(200).body["token"]
    pause(radio, "auth")
    wait_until(lambda: runtime_of(radio).plugins.is_paused("auth"), seconds=2)
    with CableClient(radio, token=token) as cable:
        wait_until(lambda: cable.ended is not None, seconds=5)
        assert (cable.ended, cable.said) == (1011, [])


def test_connections_that_broke_while_idle_are_nobodys_trouble(radio: Flask, sign_in: Any) -> None:
    user, client = sign_in()
    token = client.post("internal/cable_token").expect(200).body["token"]

    def break_all() -> None:
        with psycopg.connect(runtime_of(radio).settings.database_url.reveal(), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and application_name = 'jiki'"
            )
        radio.extensions["jiki_auth.session_cache"].forget_user(user.id)

    break_all()
    with CableClient(radio, token=token) as cable:
        assert cable.is_welcome
        break_all()
        cable.subscribe("RadioChannel", seconds=0.01)


def test_a_database_that_is_away_for_a_moment_only_delays_a_subscribe(radio: Flask, sign_in: Any) -> None:
    url = runtime_of(radio).settings.database_url.reveal()
    name = conninfo_to_dict(url)["dbname"]
    confirmed: list[Any] = []
    with CableClient(radio, sign_in()[1]) as cable, psycopg.connect(url, dbname="postgres", autocommit=True) as server:
        assert cable.is_welcome
        (connection,) = cable_of(radio)._connections.values()
        entering = threading.Thread(target=lambda: confirmed.append(cable.subscribe("RadioChannel", seconds=0.01)))
        server.execute(sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(str(name))))
        try:
            server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
            entering.start()
            wait_until(lambda: connection._waiting, seconds=8, what="a first attempt")
        finally:
            server.execute(sql.SQL("alter database {} with allow_connections true").format(sql.Identifier(str(name))))
        entering.join(8)
    assert len(confirmed) == 1


def test_more_who_come_at_once_than_there_are_connections_are_all_let_in(radio: Flask, sign_in: Any) -> None:
    """Each holds a connection for 0.2 s and the pool gives up after one: without taking turns most would be rejected."""
    _, client = sign_in()
    pool = runtime_of(radio).settings.database_pool_size
    crowd = [CableClient(radio, client) for _ in range(pool * 8)]
    confirmed: list[Any] = []
    entering = [
        threading.Thread(target=lambda one=one: confirmed.append(one.subscribe("RadioChannel", seconds=0.2)))
        for one in crowd
    ]
    for thread in entering:
        thread.start()
    for thread in entering:
        thread.join(20)
    assert len(confirmed) == len(crowd)
    for one in crowd:
        one.close()


def test_a_subscribe_that_reads_no_rows_asks_the_database_nothing(radio: Flask, sign_in: Any) -> None:
    with CableClient(radio, sign_in()[1]) as cable:
        assert cable.is_welcome
        with count_queries(radio) as asked:
            cable.subscribe("RadioChannel")
        assert asked.statements == []


def test_the_document_lists_every_channel(radio: Flask) -> None:
    document = radio.test_client().get("/openapi/cable.json").get_json()
    assert document["asyncapi"].startswith("3.")
    assert {"NotificationsChannel", "RadioChannel", "DirectorsChannel", "$pubsub"} <= set(document["channels"])
    assert document["channels"]["DirectorsChannel"]["x-permission"] == "radio.direct"


def connections(app: Flask) -> set[str]:
    """Ids of the connections to the database of this test process in Valkey, but for those of the app's own pool, which
    has as many as were ever needed at one time."""
    valkey = runtime_of(app).redis
    valkey.connection_pool.disconnect(inuse_connections=False)
    number, own = str(valkey.connection_pool.connection_kwargs["db"]), str(valkey.client_id())
    return {one["id"] for one in valkey.client_list() if one["db"] == number and one["id"] != own}


def test_a_stopped_cable_leaves_no_thread_and_no_connection(radio: Flask, sign_in: Any) -> None:
    """Whoever tests a plugin makes many apps: what one of them leaves would be a leak, and a warning at the end."""
    before, threads = connections(radio), set(threading.enumerate())
    with CableClient(radio, sign_in()[1]) as cable:
        cable.subscribe("RadioChannel")
        assert len(connections(radio) - before) >= 2
    cable_of(radio).stop()
    left = [one for one in threading.enumerate() if one.name.startswith("cable-") and one not in threads]
    wait_until(lambda: not [one.name for one in left if one.is_alive()], seconds=5)
    assert connections(radio) <= before


def test_a_cable_that_nobody_used_is_stopped_without_a_connection(radio: Flask) -> None:
    before = connections(radio)
    cable_of(radio).stop()
    assert connections(radio) == before
