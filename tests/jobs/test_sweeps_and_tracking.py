"""What is kept no longer than promised, and what is counted."""

from __future__ import annotations

import uuid

from jiki_core.contracts.binding import BoundProvider
from jiki_core.db import unit_of_work
from jiki_core.db.outbox import OutboxState
from jiki_core.jobs import sweeps
from jiki_core.jobs.tracking import TrackingSink, track
from jiki_core.runtime import runtime_of


def sweep(lab, job):
    with lab.app.app_context(), unit_of_work() as uow:
        job_id = uow.enqueue(job)
    lab.drain()
    assert lab.entry(job_id).state == OutboxState.DONE, lab.entry(job_id).reason
    (row,) = lab.sql("select result from core.job_receipts where outbox_id = :id", id=job_id)
    return row.result


def test_finished_rows_go_after_their_time_and_dead_ones_stay(lab, monkeypatch):
    monkeypatch.setattr(sweeps, "BATCH", 2)
    for state, age in (
        ("done", 8),
        ("done", 8),
        ("cancelled", 8),
        ("done", 8),
        ("done", 6),
        ("dead", 400),
        ("new", 400),
    ):
        lab.sql(
            "insert into core.outbox (id, kind, name, payload, state, finished_at, run_after) values "
            "(:id, 'job', 'lab.old', '{}', :state, "
            "case when :state in ('done', 'cancelled') then now() - make_interval(days => :age) end, "
            "now() + interval '1 day')",
            id=uuid.uuid4(),
            state=state,
            age=age,
        )
    lab.sql(
        "insert into core.schedule_ticks (schedule, tick_at, outbox_id) values "
        "('x', now() - interval '31 days', gen_random_uuid()), ('x', now() - interval '29 days', gen_random_uuid())"
    )
    assert sweep(lab, sweeps.sweep_outbox) == {"outbox": 4, "schedule_ticks": 1}
    left = sorted(row.state for row in lab.sql("select state from core.outbox where name = 'lab.old'"))
    assert left == ["dead", "done", "new"]


def test_old_notifications_go(lab):
    lab.sql(
        "insert into core.notifications (id, user_id, type, data, created_at) values "
        "(gen_random_uuid(), 7, 'x', '{}', now() - interval '181 days'), (gen_random_uuid(), 7, 'x', '{}', now())"
    )
    assert sweep(lab, sweeps.sweep_notifications) == {"notifications": 1}


def test_expired_keys_go(lab):
    lab.sql(
        "insert into core.idempotency_keys (user_id, key, route, fingerprint, token, locked_until, expires_at) values "
        "(7, 'old', 'x', '', gen_random_uuid(), now(), now() - interval '1 second'), "
        "(7, 'new', 'x', '', gen_random_uuid(), now(), now() + interval '1 hour')"
    )
    lab.sql(
        "insert into core.mail_dedupe_keys (key, outbox_id, created_at) values "
        "('old', gen_random_uuid(), now() - interval '91 days'), ('new', gen_random_uuid(), now())"
    )
    assert sweep(lab, sweeps.sweep_keys) == {"idempotency_keys": 1, "mail_dedupe_keys": 1}


def test_a_tracked_event_is_a_row_after_the_commit(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        track(uow, "lab.seen", user_id=7, properties={"feature": "x"})
        moment = uow.now
    lab.drain()
    (row,) = lab.sql("select name, user_id, properties, occurred_at from core.tracking_events")
    assert tuple(row) == ("lab.seen", 7, {"feature": "x"}, moment)


class Sink:
    """Refuses the first time."""

    def __init__(self):
        self.taken = []

    def accept(self, id, name, user_id, properties, occurred_at):
        self.taken.append((id, name))
        return len(self.taken) > 1


def test_a_sink_that_refuses_is_asked_again_with_the_same_id(lab):
    at, sink = runtime_of(lab.app), Sink()
    before = at.providers
    object.__setattr__(at, "providers", {**before, TrackingSink: (BoundProvider("lab", sink),)})
    try:
        with lab.app.app_context(), unit_of_work() as uow:
            track(uow, "lab.seen")
        lab.drain()
        assert lab.sql("select count(*) from core.tracking_events")[0][0] == 0
        lab.drain(including_later=True)
    finally:
        object.__setattr__(at, "providers", before)
    assert lab.sql("select count(*) from core.tracking_events")[0][0] == 1
    assert len(sink.taken) == 2
    assert len(set(sink.taken)) == 1
