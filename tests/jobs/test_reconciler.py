"""The reconciler: what was lost goes again, what merely waits long does not."""

from __future__ import annotations

import time

import time_machine
from sqlalchemy import text

from jiki_core.db import db, unit_of_work
from jiki_core.db.outbox import JobOptions, OutboxState
from jiki_core.jobs.control import retry_job
from jiki_core.jobs.dispatch import _claim, run
from jiki_core.jobs.lease import keep_lease
from jiki_core.jobs.reconciler import CANARY, SILENCES_LIMIT, Reconciler, leases_over, lost_in_valkey, reconcile
from jiki_core.testing import wait_until
from tests.laboratory_fixtures import Laboratory

HOURS_AGO = "update core.outbox set handed_at = now() - interval '9 hours'"


def test_a_job_that_waits_long_in_its_queue_is_left_alone(lab):
    job_id = lab.ask("count", key="a")
    lab.sql(HOURS_AGO)
    with lab.app.app_context():
        assert reconcile(lab.valkey) == 0
    assert lab.entry(job_id).state == OutboxState.HANDED


def test_a_job_that_valkey_lost_goes_again_and_runs_once(lab):
    job_id = lab.ask("count", key="a")
    lab.valkey.flushdb()
    lab.sql(HOURS_AGO)
    with lab.app.app_context():
        assert reconcile(lab.valkey) == 1
    entry = lab.entry(job_id)
    assert (entry.state, entry.reason) == (OutboxState.NEW, "Valkey lost it")
    lab.drain()
    assert (lab.effects("a"), lab.entry(job_id).attempt) == (1, 2)


def test_a_job_that_a_worker_took_a_moment_ago_is_not_lost(lab):
    job_id = lab.ask("count", key="a")
    lab.valkey.flushdb()
    with lab.app.app_context():
        assert reconcile(lab.valkey) == 0
    assert lab.entry(job_id).state == OutboxState.HANDED


def test_an_emptied_valkey_is_noticed_at_once(lab):
    lab.ask("count", key="a")
    reconciler = Reconciler(lab.valkey)
    assert reconciler.has_new_valkey() is False
    assert reconciler.has_new_valkey() is False
    lab.valkey.flushdb()
    assert reconciler.has_new_valkey() is True
    with lab.app.app_context():
        assert lost_in_valkey(lab.valkey, at_once=True) == 1
    assert lab.valkey.exists(CANARY)
    assert reconciler.has_new_valkey() is False


def test_a_restarted_valkey_is_noticed_by_its_run_id(lab):
    reconciler = Reconciler(lab.valkey)
    reconciler.has_new_valkey()
    reconciler._run_id = "that of the server before"
    assert reconciler.has_new_valkey() is True


def test_a_started_job_goes_again_only_when_its_lease_is_over(lab):
    job_id = lab.ask("count", key="a")
    lab.sql(
        "update core.outbox set state = 'started', lease_until = now() + interval '1 minute', "
        "created_at = now() - interval '9 hours'"
    )
    with lab.app.app_context():
        assert leases_over() == 0
    lab.sql("update core.outbox set lease_until = now() - interval '1 second'")
    with lab.app.app_context():
        assert leases_over() == 1
    assert lab.entry(job_id).reason == "the worker that had it fell silent"
    lab.drain()
    assert lab.effects("a") == 1


def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(lab):
    job_id = lab.ask("count", key="a")
    lab.sql("update core.outbox set state = 'new', handed_at = null")
    lab.drain()
    with lab.app.app_context():
        run(str(job_id), 1)
    assert lab.effects("a") == 1


def silence(lab):
    """The worker that has the job falls silent, and its lease runs out."""
    lab.sql("update core.outbox set state = 'started', lease_until = now() - interval '1 second' where kind = 'job'")
    with lab.app.app_context():
        return leases_over()


def test_a_job_that_ends_its_workers_is_dead_after_five_of_them_until_an_operator_says_again(lab):
    job_id = lab.ask("count", JobOptions(owner_id=7), key="a")
    lab.sql("update core.outbox set checkpoint = '{\"page\": 3}'")
    seen = []
    for _ in range(SILENCES_LIMIT):
        assert silence(lab) == 1
        seen.append(lab.entry(job_id).state)
    assert seen == [OutboxState.NEW] * 4 + [OutboxState.DEAD]
    assert lab.entry(job_id).reason.startswith("5 workers fell silent while they ran it: it may need more memory")
    (told,) = lab.sql("select type, data from core.notifications where user_id = 7")
    assert (told.type, told.data["job_id"]) == ("core.job_failed", str(job_id))
    with lab.app.app_context(), unit_of_work() as uow:
        retry_job(uow, job_id, reason="more memory")
    assert lab.entry(job_id).checkpoint == {"page": 3}
    lab.drain()
    assert (lab.entry(job_id).state, lab.effects("a")) == (OutboxState.DONE, 1)


def test_a_row_that_its_worker_is_just_settling_is_left_alone(lab):
    job_id = lab.ask("count", key="a")
    lab.sql("update core.outbox set state = 'started', lease_until = now() - interval '1 second'")
    with lab.app.app_context(), db.engine.begin() as settling:
        settling.execute(text("update core.outbox set state = 'done' where id = :id"), {"id": job_id})
        assert leases_over() == 0
    assert lab.entry(job_id).state == OutboxState.DONE


def test_leases_are_over_by_the_clock_of_the_database_alone(lab):
    """A scheduler whose clock is five minutes ahead takes nobody's job; one whose clock is behind finds what is lost."""
    job_id = lab.ask("count", key="a")
    lab.sql("update core.outbox set state = 'started', lease_until = now() + interval '30 seconds'")
    with time_machine.travel(time.time() + 300, tick=True), lab.app.app_context():
        assert leases_over() == 0
    lab.sql("update core.outbox set lease_until = now() - interval '1 second'")
    with time_machine.travel(time.time() - 300, tick=True), lab.app.app_context():
        assert leases_over() == 1
    assert lab.entry(job_id).state == OutboxState.NEW


def test_a_worker_keeps_its_lease_for_as_long_as_the_setting_says(lab, lab_folder, make_app):
    app = make_app((), {"JIKI_PLUGINS_ENABLED": "lab", "JIKI_JOB_LEASE_SECONDS": "3"})
    there = Laboratory(app, lab_folder)
    job_id = there.ask("count", key="a")
    with app.app_context():
        claim = _claim(job_id, 1)
        left = "select extract(epoch from lease_until - clock_timestamp())::float as seconds from core.outbox"
        assert 2 < there.sql(left)[0].seconds <= 3
        first = there.entry(job_id).lease_until
        with keep_lease(app, claim.id, claim.attempt, timeout_seconds=60):
            wait_until(lambda: there.entry(job_id).lease_until > first, seconds=5, what="the extension")
