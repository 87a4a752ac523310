"""The kit that plugin authors test with: the clock stands still, the outbox tells, other machines are out of reach."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from jiki_core.db import unit_of_work
from jiki_core.plugins.discovery import with_requirements
from jiki_core.runtime import runtime_of
from jiki_core.testing import NetworkRefused
from jiki_core.testing.network_guard import is_here


def test_the_clock_stands_still_until_it_is_moved(db, clock):
    began = clock.now
    with db.app_context(), unit_of_work() as uow:
        assert uow.now == began
    assert datetime.now(UTC) == began
    assert clock.move(days=1, hours=2) == began + timedelta(hours=26)
    assert time.time() == clock.now.timestamp()
    morning = datetime(2027, 3, 28, 6, 30, tzinfo=UTC)
    assert clock.move_to(morning) == clock.now == morning


def test_the_clock_goes_on_after_the_test_that_stopped_it():
    before = time.time()
    deadline = time.monotonic() + 5
    while time.time() == before and time.monotonic() < deadline:
        pass
    assert time.time() > before


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0)])
def test_another_machine_is_out_of_reach(address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as reaching:
        with pytest.raises(
            NetworkRefused, match=r"a test reached for .*; run a stand-in on 127.0.0.1, or mark the test"
        ):
            reaching.connect(address)
        with pytest.raises(NetworkRefused):
            reaching.connect_ex(address)
    with pytest.raises(NetworkRefused):
        socket.create_connection(address[:2], timeout=1)


def test_names_of_other_machines_are_not_looked_up():
    with pytest.raises(socket.gaierror, match=r"a test reached for example\.test"):
        socket.getaddrinfo("example.test", 443)


def test_this_machine_can_be_reached_by_name_and_by_address():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, port), timeout=5).close()
    assert all(map(is_here, ["", "::1", "127.8.9.1", "0.0.0.0", socket.gethostname()]))
    assert not any(map(is_here, ["10.0.0.1", "fe80::1", "example.test"]))


@pytest.mark.network
def test_who_means_to_may_reach_others():
    assert socket.getaddrinfo.__module__ == "socket"


def test_the_outbox_tells_what_was_asked_for(committed_db, outbox):
    with committed_db.app_context(), unit_of_work() as uow:
        uow.notify(1, "core.greeting", {"hello": True})
        uow.broadcast("greetings", {"type": "hello"}, durable=True)
    told = {one.name: one for one in outbox()}
    assert told["greetings"].kind == "broadcast"
    assert [one.payload["message"] for one in outbox("greetings")] == [{"type": "hello"}]
    assert outbox("nothing") == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("learning",), ("auth", "learning")),
        (("payments", "learning"), ("auth", "payments", "learning")),
        (("i18n",), ("i18n",)),
        (("nowhere",), ("nowhere",)),
    ],
)
def test_plugins_come_with_what_they_require(names, expected):
    assert with_requirements(names) == expected


def test_an_app_of_ones_own_begins_with_an_empty_valkey(app, request):
    runtime_of(app).redis.set("left", "by an earlier test")
    assert runtime_of(request.getfixturevalue("app_with")("auth")).redis.get("left") is None
