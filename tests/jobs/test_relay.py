"""The relay: every waiting row to where it is acted on, once, in its order, whoever else relays and whatever is away."""

from __future__ import annotations

import threading

import pytest
import redis

from jiki_core.cache import connect
from jiki_core.db import unit_of_work
from jiki_core.db.outbox import JobOptions, OutboxState
from jiki_core.jobs import queues
from jiki_core.jobs.queues import open_queue, waiting_ids
from jiki_core.jobs.relay import fan_out_events, held_may_go_on, measure_outbox, publish_broadcasts, relay_once
from jiki_core.jobs.scheduler import _attempt
from jiki_core.observability.metrics import render
from jiki_core.runtime import runtime_of
from jiki_core.testing.pytest_plugin import scaled


def fill(lab, count, *, name="lab.count", kind="job", queue="default"):
    """Rows that wait, written straight into the table."""
    lab.sql(
        "insert into core.outbox (id, kind, name, payload, queue) "
        "select gen_random_uuid(), :kind, :name, jsonb_build_object('key', 'k' || n), :queue from generate_series(1, :n) n",
        kind=kind,
        name=name,
        queue=queue,
        n=count,
    )


def states(lab):
    return dict(tuple(row) for row in lab.sql("select state, count(*) from core.outbox group by state"))


def away():
    """A Valkey that nobody runs."""
    return connect("redis://127.0.0.1:1/0")


def test_two_relays_at_once_hand_no_job_over_twice(lab):
    total = scaled(2_000, least=400)
    fill(lab, total)
    errors = []

    def relay():
        try:
            with lab.app.app_context():
                while relay_once(lab.valkey):
                    pass
        except Exception as error:  # told to the test's own thread
            errors.append(error)

    relays = [threading.Thread(target=relay) for _ in range(2)]
    for one in relays:
        one.start()
    for one in relays:
        one.join(60)
    assert errors == []
    ids = open_queue("default", lab.valkey).get_job_ids()
    assert len(ids) == len(set(ids)) == min(total, queues.QUEUE_DEPTH)
    assert states(lab)["handed"] == len(ids)
    assert lab.sql("select max(attempt) from core.outbox")[0][0] == 1


def test_a_full_queue_keeps_its_jobs_in_postgresql_and_no_other_queue_waits_for_it(lab, monkeypatch):
    monkeypatch.setattr("jiki_core.jobs.relay.QUEUE_DEPTH", 5)
    fill(lab, 300, queue="heavy", name="lab.every_minute")
    fill(lab, 3)
    with lab.app.app_context():
        while relay_once(lab.valkey):
            pass
    assert (open_queue("heavy", lab.valkey).count, open_queue("default", lab.valkey).count) == (5, 3)
    assert states(lab) == {"handed": 8, "new": 295}


def test_a_queue_that_is_full_gets_nothing_past_the_relay_either(lab, monkeypatch):
    monkeypatch.setattr("jiki_core.jobs.straight.QUEUE_DEPTH", 1)
    first, second = lab.ask("count", key="a"), lab.ask("count", key="b")
    assert lab.entry(first).state == OutboxState.HANDED
    assert lab.entry(second).state == OutboxState.NEW


def test_without_valkey_a_request_for_a_job_succeeds_and_waits(lab, make_app):
    app = make_app((), {"JIKI_PLUGINS_ENABLED": "lab", "REDIS_URL": "redis://127.0.0.1:1/0"})
    with app.app_context(), unit_of_work() as uow:
        first = uow.enqueue(lab.work.count, key="a")
    with app.app_context(), unit_of_work() as uow:
        second = uow.enqueue(lab.work.count, key="b")
    assert (lab.entry(first).state, lab.entry(second).state) == (OutboxState.NEW, OutboxState.NEW)
    assert lab.drain() == 2
    assert (lab.effects("a"), lab.effects("b")) == (1, 1)


def test_without_valkey_events_are_fanned_out_and_jobs_stay(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        uow.emit(lab.work.Counted("a"))
    with lab.app.app_context(), pytest.raises(redis.RedisError):
        relay_once(away())
    kinds = {tuple(row) for row in lab.sql("select kind, state from core.outbox")}
    assert kinds == {("event", "done"), ("job", "new")}


def test_a_broadcast_that_no_client_could_be_sent_is_dead_and_those_behind_it_go(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        uow.broadcast("room/1", {}, durable=True)
        uow.broadcast("room/1", {"n": 1}, durable=True)
    with lab.app.app_context():
        assert publish_broadcasts() == 2
    rows = lab.sql("select state, reason from core.outbox order by seq")
    assert [row.state for row in rows] == ["dead", "done"]
    assert rows[0].reason.startswith("a message must be an object with at least one member")


def test_a_step_of_the_scheduler_that_raises_does_not_end_it(lab):
    def mistaken():
        raise KeyError("ours")

    assert _attempt(lab.app, mistaken) is None
    assert _attempt(lab.app, lambda: 3) == 3


def test_an_event_reaches_each_listener_once(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        uow.emit(lab.work.Counted("a"))
    lab.drain()
    assert lab.effects("a") == 1


def test_an_event_nobody_listens_to_is_done(lab):
    lab.sql(
        "insert into core.outbox (id, kind, name, payload) values (gen_random_uuid(), 'event', 'lab.unheard', '{}')"
    )
    assert lab.drain() == 0
    assert states(lab) == {"done": 1}


def test_events_of_one_line_are_heard_in_order_and_other_lines_do_not_wait(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        for number in range(6):
            uow.emit(lab.work.Ordered("a", number))
        uow.emit(lab.work.Ordered("b", 0))
    with lab.app.app_context():
        assert fan_out_events() == 2
    lab.drain()
    assert [int(one) for one in lab.valkey.lrange("lab:line:a", 0, -1)] == list(range(6))
    assert lab.effects("b") == 1


def test_jobs_with_an_order_key_run_one_after_the_other(lab):
    first = lab.ask("fail", JobOptions(order_key="line"), key="a")
    second = lab.ask("count", JobOptions(order_key="line"), key="b")
    lab.drain()
    assert (lab.entry(first).state, lab.entry(second).state) == (OutboxState.NEW, OutboxState.NEW)
    lab.drain(including_later=True)
    assert (lab.entry(first).state, lab.entry(second).state) == (OutboxState.DEAD, OutboxState.DONE)


def test_an_event_of_a_newer_version_waits_for_newer_code(lab):
    lab.sql(
        "insert into core.outbox (id, kind, name, version, payload) "
        "values (gen_random_uuid(), 'event', 'lab.counted', 2, '{\"key\": \"a\"}')"
    )
    lab.drain()
    (row,) = lab.sql("select state, reason, failures from core.outbox where kind = 'job'")
    assert (row.state, row.failures) == ("new", 0)
    assert row.reason == "lab.counted has version 2, this process knows 1; waits for a worker with newer code"
    lab.work.Counted.version = 2
    try:
        lab.drain(including_later=True)
    finally:
        lab.work.Counted.version = 1
    assert lab.effects("a") == 1


class Paused:
    """Plugin states as the operator may make them."""

    def __init__(self, states):
        self._states = states
        self.is_lab_paused = True

    def is_paused(self, plugin):
        return plugin == "lab" and self.is_lab_paused

    def __getattr__(self, name):
        return getattr(self._states, name)


def test_jobs_of_a_paused_plugin_are_held_and_go_on_when_it_does(lab, monkeypatch):
    at = runtime_of(lab.app)
    paused = Paused(at.plugins)
    job_id = lab.ask("count", key="a")
    object.__setattr__(at, "plugins", paused)
    try:
        lab.drain()
        entry = lab.entry(job_id)
        assert (entry.state, entry.reason, entry.failures) == (OutboxState.HELD, "the plugin lab is not running", 0)
        with lab.app.app_context():
            assert held_may_go_on() == 0
        paused.is_lab_paused = False
        with lab.app.app_context():
            assert held_may_go_on() == 1
        lab.drain()
    finally:
        object.__setattr__(at, "plugins", paused._states)
    assert lab.effects("a") == 1


def test_what_waits_and_what_died_can_be_measured(lab):
    lab.ask("give_up")
    lab.drain()
    fill(lab, 3)
    lab.sql("update core.outbox set run_after = now() - interval '100 seconds' where state = 'new'")
    with lab.app.app_context():
        measure_outbox()
    shown = dict(line.rsplit(" ", 1) for line in render()[0].decode().splitlines() if not line.startswith("#"))
    assert float(shown["jiki_outbox_pending"]) == 3
    assert float(shown["jiki_jobs_dead"]) == 1
    assert 99 < float(shown["jiki_outbox_oldest_seconds"]) < 200


def test_a_row_in_valkey_names_nothing_but_our_dispatcher(lab):
    job_id = lab.ask("count", key="a")
    (queued,) = open_queue("default", lab.valkey).get_jobs()
    assert queued.func_name == "jiki_core.jobs.dispatch.run"
    assert queued.args == [str(job_id), 1] or queued.args == (str(job_id), 1)
    assert waiting_ids("default", lab.valkey) == {queued.id}


def test_a_listener_that_only_the_emitting_process_knew_gets_its_job(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        event_id = uow.emit(lab.work.Counted("a"))
    assert lab.entry(event_id).listeners == ["lab.on.lab.counted.hear"]
    newer = "lab.on.lab.counted.write_home"
    lab.sql("update core.outbox set listeners = array_append(listeners, :newer)", newer=newer)
    lab.drain()
    waiting = lab.sql("select state, queue, reason from core.outbox where name = :newer", newer=newer)
    assert [(row.state, row.queue) for row in waiting] == [("new", "default")]
    assert waiting[0].reason == f"no job named {newer} in this process; waits for a worker that knows it"
    assert lab.effects("a") == 1
