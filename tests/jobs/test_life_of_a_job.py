"""From the request for a job to its receipt: states, claims, failures, retries, and what an attempt number guards."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import JobOptions, JobReceipt, OutboxState
from jiki_core.jobs import Job, JobRun, Retry
from jiki_core.jobs.dispatch import _claim, run
from jiki_core.jobs.queues import open_queue, waiting_ids
from jiki_core.jobs.relay import relay_once


def receipts(lab):
    with lab.app.app_context():
        return reading().execute(select(JobReceipt.outbox_id, JobReceipt.result)).all()


def attempt(lab, job_id):
    """Runs whatever attempt the row is at."""
    with lab.app.app_context():
        relay_once(lab.valkey)
    number = lab.entry(job_id).attempt
    with lab.app.app_context():
        run(str(job_id), number)


def test_a_job_is_in_its_queue_right_after_the_commit(lab):
    job_id = lab.ask("count", key="a")
    assert lab.entry(job_id).state == OutboxState.HANDED
    assert waiting_ids("default", lab.valkey) == {f"{job_id}-1"}


def test_a_job_leaves_its_effect_and_its_receipt_together(lab):
    job_id = lab.ask("count", key="a")
    assert lab.drain() == 1
    assert lab.effects("a") == 1
    assert lab.entry(job_id).state == OutboxState.DONE
    assert [tuple(row) for row in receipts(lab)] == [(job_id, {"counted": "a"})]


def test_a_second_run_of_the_same_attempt_does_nothing(lab):
    job_id = lab.ask("count", key="a")
    with lab.app.app_context():
        run(str(job_id), 1)
        run(str(job_id), 1)
    assert (lab.effects("a"), len(receipts(lab))) == (1, 1)


def test_an_old_copy_in_the_queue_cannot_run_for_a_new_attempt(lab):
    job_id = lab.ask("count", key="a")
    lab.sql("update core.outbox set attempt = 2")
    with lab.app.app_context():
        run(str(job_id), 1)
    assert lab.effects("a") == 0
    with lab.app.app_context():
        run(str(job_id), 2)
    assert lab.effects("a") == 1


def test_a_worker_that_lost_its_lease_takes_no_effect(lab):
    """Somebody else gets the row while the job runs: what the first worker did is rolled back with its receipt."""
    job_id = lab.ask("count", key="a")
    work, original = lab.work, lab.work.bump

    def interfering(uow, key):
        original(uow, key)
        with lab.app.app_context():
            from jiki_core.db import db

            with db.engine.begin() as other:
                other.exec_driver_sql("update core.outbox set attempt = attempt + 1, state = 'handed'")

    work.bump = interfering
    try:
        with lab.app.app_context():
            run(str(job_id), 1)
    finally:
        work.bump = original
    assert lab.effects("a") == 0
    with lab.app.app_context():
        run(str(job_id), 2)
    assert (lab.effects("a"), lab.entry(job_id).state) == (1, OutboxState.DONE)


def test_a_failure_is_tried_again_later_and_the_job_is_dead_after_its_limit(lab):
    job_id = lab.ask("fail", key="a")
    attempt(lab, job_id)
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures, entry.reason) == (OutboxState.NEW, 1, "ValueError: not today")
    lab.drain(including_later=True)
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures) == (OutboxState.DEAD, 3)
    assert lab.effects("a") == 0
    assert receipts(lab) == []


def test_a_permanent_failure_is_dead_at_once_with_its_sentence(lab):
    job_id = lab.ask("give_up")
    lab.drain()
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures, entry.reason) == (OutboxState.DEAD, 1, "the file is gone for good")


def test_a_result_that_is_no_json_is_a_failure_and_takes_no_effect(lab):
    job_id = lab.ask("unwritable")
    lab.drain()
    assert lab.entry(job_id).state == OutboxState.DEAD
    assert "is not JSON serializable" in lab.entry(job_id).reason


def test_a_job_that_fails_after_it_settled_is_done(lab):
    job_id = lab.ask("settle_and_fail", key="a")
    lab.drain(including_later=True)
    assert (lab.entry(job_id).state, lab.effects("a")) == (OutboxState.DONE, 1)


def test_transactions_that_met_are_run_again_at_once_as_a_whole(lab):
    job_id = lab.ask("meet", key="a")
    lab.drain()
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures, lab.effects("a")) == (OutboxState.DONE, 0, 1)


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ("misquote", "ValueError: a\ufffdb?"),  # PostgreSQL keeps neither NUL nor half characters
        ("send_an_object", "cannot adapt type 'object'"),  # refused by the driver, which looks like no answer
    ],
)
def test_a_mistake_of_the_job_counts_whatever_it_looks_like(lab, job, reason):
    job_id = lab.ask(job)
    attempt(lab, job_id)
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures) == (OutboxState.NEW, 1)
    assert reason in entry.reason


def test_a_job_that_settles_twice_is_told_so(lab):
    job_id = lab.ask("settle_twice", key="a")
    with lab.app.app_context():
        run_of_it = JobRun(_claim(job_id, 1))
        with pytest.raises(RuntimeError, match=r"lab\.settle_twice is settled already"):
            lab.work.settle_twice(run_of_it, key="a")
    assert (lab.entry(job_id).state, lab.effects("a")) == (OutboxState.DONE, 1)


def test_a_job_that_nobody_here_knows_comes_by_less_and_less_often(lab):
    job_id = uuid.uuid4()
    lab.sql("insert into core.outbox (id, kind, name, payload) values (:id, 'job', 'lab.of_tomorrow', '{}')", id=job_id)
    pauses = []
    for _ in range(3):
        lab.sql("update core.outbox set run_after = now()")
        attempt(lab, job_id)
        (row,) = lab.sql("select extract(epoch from run_after - now())::float as pause from core.outbox")
        pauses.append(round(row.pause))
    assert pauses == [5, 10, 15]


def test_what_a_job_keeps_is_there_at_the_next_attempt(lab):
    lab.ask("resume", key="a")
    lab.drain(including_later=True)
    assert (lab.effects("a"), lab.effects("a-settled")) == (1, 1)


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [
        (1, 1.6, 2.4),
        (2, 4.8, 7.2),
        (3, 14.4, 21.6),
        (20, 2_880, 4_320),
    ],
)
def test_the_pause_grows_with_each_failure_within_its_jitter(failures, least, most):
    pauses = [Retry().delay_after(failures).total_seconds() for _ in range(200)]
    assert least <= min(pauses)
    assert max(pauses) <= most
    assert len(set(pauses)) > 100


def test_a_former_name_still_runs(lab):
    lab.sql(
        "insert into core.outbox (id, kind, name, payload) values (:id, 'job', 'lab.count_formerly', '{\"key\": \"a\"}')",
        id=uuid.uuid4(),
    )
    lab.drain()
    assert lab.effects("a") == 1


def test_a_job_that_this_process_does_not_know_waits_with_a_reason(lab):
    job_id = uuid.uuid4()
    lab.sql("insert into core.outbox (id, kind, name, payload) values (:id, 'job', 'lab.of_tomorrow', '{}')", id=job_id)
    lab.drain()
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures) == (OutboxState.NEW, 0)
    assert entry.reason == "no job named lab.of_tomorrow in this process; waits for a worker that knows it"


def test_a_job_for_later_waits_until_its_time(lab):
    later = datetime.now(UTC) + timedelta(hours=1)
    job_id = lab.ask("count", JobOptions(run_after=later), key="a")
    assert lab.drain() == 0
    assert lab.entry(job_id).state == OutboxState.NEW
    assert lab.drain(including_later=True) == 1


def test_urgent_jobs_go_before_what_waits_already(lab):
    lab.ask("count", key="ordinary")
    urgent = lab.ask("count", JobOptions(priority="high"), key="urgent")
    lab.valkey.flushdb()
    lab.sql("update core.outbox set state = 'new', attempt = 0")
    with lab.app.app_context():
        relay_once(lab.valkey)
    assert open_queue("default", lab.valkey).get_job_ids()[0] == f"{urgent}-1"


def test_a_unique_job_is_asked_for_once_while_in_flight_and_again_when_it_is_over(lab):
    first = lab.ask("bump", key="a")
    assert lab.ask("bump", key="a") == first
    assert lab.ask("bump", key="b") != first
    lab.drain()
    assert lab.effects("a") == 1
    assert lab.ask("bump", key="a") != first


def test_a_unique_key_may_be_given_with_the_request(lab):
    first = lab.ask("count", JobOptions(unique_key="report"), key="a")
    assert lab.ask("count", JobOptions(unique_key="report"), key="b") == first


def test_a_rolled_back_unit_asks_for_nothing(lab):
    def ask_and_fail():
        with unit_of_work() as uow:
            uow.enqueue(lab.work.count, key="a")
            raise KeyError

    with lab.app.app_context(), pytest.raises(KeyError):
        ask_and_fail()
    assert lab.sql("select * from core.outbox") == []
    assert waiting_ids("default", lab.valkey) == set()


def test_arguments_that_do_not_fit_are_refused_where_the_job_is_asked_for(lab):
    with pytest.raises(TypeError, match="missing a required argument: 'key'"):
        lab.ask("count")
    with pytest.raises(TypeError, match="not JSON serializable"):
        lab.ask("count", key=object())


async def awaited(uow):
    """No job: nothing would await it."""


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (Job(lambda: None), "takes no arguments"),
        (Job(lambda uow: None, queue="slow"), "names the queue 'slow'"),
        (Job(lambda uow: None, schedule="every day"), "it needs five fields"),
        (Job(lambda uow, key: None, schedule="* * * * *"), "is scheduled and needs key"),
        (Job(lambda uow: None), "would be stored as '<lambda>'"),
        (Job(awaited), "is a coroutine function"),
        (Job(lambda uow: None, priority="urgent"), "has the priority 'urgent'; there are low, normal, high"),
        (Job(lambda uow: None, timeout_seconds=0), "has a time-out of 0 s"),
        (Job(lambda uow: None, retry=Retry(limit=0)), "has a Retry with a limit below 1"),
    ],
)
def test_a_wrong_declaration_is_told(job, sentence):
    assert any(sentence in mistake for mistake in job.mistakes())
