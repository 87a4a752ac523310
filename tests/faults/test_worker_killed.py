"""kill -9 of processes: whatever was asked for takes effect once, when a process is back."""

from __future__ import annotations

import email
import queue
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import requests

from jiki_core.db.outbox import JobOptions, OutboxState
from jiki_core.devserver.ports import free_port
from jiki_core.testing import wait_until
from jiki_core.testing.pytest_plugin import scaled
from tests.faults.conftest import environment_of
from tests.faults.ledger import assert_each_once, unfinished, without_receipt
from tests.faults.processes import supervised

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


@pytest.mark.parametrize(
    ("trap", "attempts"),
    [
        ("after_pop", 2),  # out of Valkey, and nobody has claimed it
        ("after_claim", 2),
        ("mid_write", 2),
        ("after_commit", 1),  # the effect is there, RQ does not know it yet
        ("before_put", 2),  # the relay has written `handed`, and the queue was not told
        ("before_hand_over", 2),  # likewise the web process, after its commit
    ],
)
def test_a_process_that_dies_at_this_point_loses_and_doubles_nothing(lab, trap, attempts):
    port = free_port()
    with supervised(lab.folder.path, environment_of(lab, LAB_HAS_TRAPS="1")) as supervisor:
        supervisor.start_worker("worker", "default")
        supervisor.start_scheduler()
        supervisor.start_web("web", port)
        url = f"http://127.0.0.1:{port}/api/v1/internal/lab/trap"
        wait_until(lambda: try_order(url, "warm") == 201, seconds=60, what="the web process")
        wait_until(lambda: lab.effects("warm-job"), seconds=60, what="the worker")
        lab.valkey.set(f"lab:trap:{trap}", b"1")
        if trap == "before_put":  # only jobs for later pass the relay on their first way
            in_a_moment = datetime.now(UTC) + timedelta(seconds=1)
            lab.ask("count_over_traps", JobOptions(run_after=in_a_moment), key="a-job")
            lab.sql("insert into core.seed_records (key) values ('a:1')")
        else:
            assert try_order(url, "a") == (0 if trap == "before_hand_over" else 201)
        wait_until(lambda: not lab.valkey.exists(f"lab:trap:{trap}"), seconds=60, what="the step on the trap")
        wait_until(lambda: not unfinished(lab), seconds=120, what="the end of the job")
    assert_each_once(lab, ["warm", "warm-job", "a", "a-job"])
    assert without_receipt(lab) == 0
    (row,) = lab.sql("select attempt, failures from core.outbox where payload ->> 'key' = 'a-job'")
    assert tuple(row) == (attempts, 0)


def test_processes_killed_at_random_lose_and_double_nothing(lab, supervisor, seeded, mail_catcher):
    """Each order counts once, and so does its job, which mails once; a copy of a mail has the same Message-ID."""
    mail_catcher.clear()
    total, seconds = scaled(200, least=40), max(8.0, scaled(30))
    keys = [f"k{number}" for number in range(total)]
    port = free_port()
    supervisor.start_worker("worker", "default")
    supervisor.start_worker("mailer", "mail", "heavy")
    supervisor.start_scheduler()
    supervisor.start_web("web", port)
    wait_until(lambda: len(lab.valkey.smembers("rq:workers")) >= 2, seconds=60, what="the workers' start")
    url = f"http://127.0.0.1:{port}/api/v1/internal/lab/order"
    wait_until(lambda: try_order(url, "warm") == 201, seconds=60, what="the web process")
    shop = Shop(url, keys, pause_seconds=seconds / total)
    shop.start()
    killed, ends_at = 0, time.monotonic() + seconds
    pause = threading.Event()
    while shop.is_open():
        pause.wait(seeded.uniform(0.25, 0.75))
        # After these seconds it is left in peace: a fresh process needs about two to its first job.
        if time.monotonic() < ends_at:
            supervisor.kill(seeded.choice(["worker", "mailer", "scheduler", "web"]))
            killed += 1
        # A request that died with its process holds its key for 90 s; the test does not wait that long.
        lab.sql("update core.idempotency_keys set locked_until = now() where created_at < now() - interval '3 seconds'")
    shop.join()
    assert shop.refused == []
    wait_until(lambda: not unfinished(lab), seconds=120, what="the end of all jobs")
    ordered = ["warm", *keys]
    assert_each_once(lab, [*ordered, *(f"{key}-job" for key in ordered)])
    assert without_receipt(lab) == 0
    mails = Counter(headers_of(mail_catcher))
    assert sorted(to for to, _ in mails) == sorted(f"{key}-job@example.test" for key in ordered)
    assert mails.total() <= len(ordered) + killed
    print(f"killed {killed}, copies {mails.total()} of {len(ordered)} mails")


def headers_of(mail_catcher):
    """Recipient and Message-ID of everything that arrived."""
    for path in (mail_catcher._maildir / "new").iterdir():
        message = email.message_from_bytes(path.read_bytes())
        yield message["To"], message["Message-ID"]


def try_order(url, key):
    """The status; 0 when nobody answered."""
    try:
        return requests.post(
            url, json={"key": key}, headers={"X-Lab-User": "7", "Idempotency-Key": key}, timeout=10
        ).status_code
    except requests.RequestException:
        return 0


class Shop:
    """Orders everything from two threads, each order again with its key until it is taken."""

    def __init__(self, url, keys, pause_seconds):
        self._url = url
        self._pause_seconds = pause_seconds * 2
        self._waiting = queue.SimpleQueue()
        for key in keys:
            self._waiting.put(key)
        self._threads = [threading.Thread(target=self._order) for _ in range(2)]
        #: statuses that no caller should see
        self.refused = []

    def start(self):
        for thread in self._threads:
            thread.start()

    def is_open(self):
        return any(thread.is_alive() for thread in self._threads)

    def join(self):
        for thread in self._threads:
            thread.join(60)

    def _order(self):
        pause = threading.Event()
        while True:
            try:
                key = self._waiting.get_nowait()
            except queue.Empty:
                return
            while (status := try_order(self._url, key)) != 201:
                if status not in (0, 409, 503):
                    self.refused.append(status)
                    return
                pause.wait(0.1)
            pause.wait(self._pause_seconds)


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
    gaps = {(after.tick_at - before.tick_at).total_seconds() for before, after in pairwise(ticks)}
    assert gaps == {3600}
    assert lab.effects("hour") == len(ticks)
