"""kill -9 of processes: whatever was asked for takes effect once, when a process is back."""

from __future__ import annotations

import threading

import pytest

from jiki_core.db.outbox import OutboxState
from jiki_core.testing import wait_until
from jiki_core.testing.pytest_plugin import scaled
from tests.faults.ledger import assert_each_once, unfinished, without_receipt

pytestmark = [pytest.mark.fault, pytest.mark.timeout(420)]


def test_a_worker_killed_in_the_middle_of_a_job_leaves_no_effect_and_the_next_one_takes_it(lab, supervisor):
    job_id = lab.ask("count_slowly", key="a", seconds=3.0)
    supervisor.start_worker("worker", "default")
    wait_until(lambda: lab.valkey.get("lab:started:a"), seconds=60, what="the start of the job")
    supervisor.kill("worker")
    assert lab.effects("a") == 0
    assert lab.entry(job_id).state == OutboxState.STARTED
    supervisor.start_scheduler()
    wait_until(lambda: lab.entry(job_id).state == OutboxState.DONE, seconds=120, what="the second run")
    assert_each_once(lab, ["a"])
    assert (lab.entry(job_id).attempt, lab.entry(job_id).failures, without_receipt(lab)) == (2, 0, 0)


def test_processes_killed_at_random_lose_and_double_nothing(lab, supervisor, seeded, mail_catcher):
    """Each job counts once and mails once; a mail may be doubled only with the same Message-ID (docs/jobs.md)."""
    mail_catcher.clear()
    total, seconds = scaled(200, least=40), max(6.0, scaled(30))
    keys = [f"k{number}" for number in range(total)]
    names = ["worker", "mailer", "scheduler"]
    supervisor.start_worker("worker", "default")
    supervisor.start_worker("mailer", "mail", "heavy")
    supervisor.start_scheduler()
    wait_until(lambda: len(lab.valkey.smembers("rq:workers")) >= 2, seconds=60, what="the workers' start")
    over = threading.Event()

    def ask():
        for key in keys:
            lab.ask("count_and_mail", key=key)
            if over.wait(seconds / total):
                return

    asking = threading.Thread(target=ask)
    asking.start()
    pause = threading.Event()
    killed = 0
    while asking.is_alive():
        pause.wait(seeded.uniform(0.3, 3.0))  # a fresh process needs about two seconds to its first job
        supervisor.kill(seeded.choice(names))
        killed += 1
    asking.join(60)
    over.set()
    wait_until(lambda: not unfinished(lab), seconds=180, what="the end of all jobs")
    assert_each_once(lab, keys)
    assert without_receipt(lab) == 0
    messages = mail_catcher.messages()
    assert {one.to for one in messages} == {f"{key}@example.test" for key in keys}
    assert len(messages) <= total + killed
    print(f"killed {killed}, mails {len(messages)} of {total}")


def test_three_schedulers_one_of_them_killed_run_every_tick_once(lab, supervisor):
    for number in range(3):
        supervisor.start_scheduler(f"scheduler{number}")
    supervisor.start_worker("worker", "heavy", "default")
    wait_until(lambda: lab.sql("select 1 from core.schedules"), seconds=60, what="the schedules' rows")
    lab.sql(
        "update core.schedules set next_tick_at = date_trunc('hour', now()) - interval '5 hours' where name = 'lab.catches_up'"
    )
    supervisor.stop("scheduler1")
    wait_until(lambda: lab.effects("hour") >= 6, seconds=60, what="the catching up")
    ticks = lab.sql("select tick_at from core.schedule_ticks where schedule = 'lab.catches_up' order by 1")
    gaps = {(after.tick_at - before.tick_at).total_seconds() for before, after in zip(ticks, ticks[1:], strict=False)}
    assert gaps == {3600}
    assert lab.effects("hour") == len(ticks)
