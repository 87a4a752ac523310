"""The reconciler: what was lost goes again, what merely waits long does not."""

from __future__ import annotations

from jiki_core.db.outbox import OutboxState
from jiki_core.jobs.dispatch import run
from jiki_core.jobs.reconciler import CANARY, Reconciler, leases_over, lost_in_valkey, reconcile

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
