"""Long jobs: progress and result for their owner, time limits, and a real worker process that is asked to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
import requests
import rq
from rq.job import Callback

from jiki_core.cli.jobs import cli as jobs
from jiki_core.db.outbox import JobOptions, OutboxState
from jiki_core.devserver.ports import free_port
from jiki_core.jobs.queues import open_queue
from jiki_core.runtime import runtime_of
from jiki_core.testing import wait_until
from tests.plugin_factory import FLASK

#: processes start slowly on a busy machine
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def worker(lab):
    """`worker(*arguments)` starts a worker process on the laboratory's services; ended after the test."""
    started = []

    def start(*arguments):
        settings = runtime_of(lab.app).settings
        environment = lab.folder.environment(
            DATABASE_URL=settings.database_url.reveal(),
            REDIS_URL=settings.redis_url.reveal(),
            JIKI_MAIL_SMTP_URL=settings.mail_smtp_url.reveal(),
        )
        process = subprocess.Popen(
            [*FLASK, "jobs", "worker", *arguments], cwd=lab.folder.path, env=environment, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_owner_sees_progress_and_result_and_is_told_of_the_end(lab):
    job_id = lab.ask("long_way", JobOptions(owner_id=7), key="a")
    client = lab.client(7)
    assert client.get(f"internal/jobs/{job_id}").expect(200).body["job"]["state"] == "waiting"
    heard = []
    lab.app.extensions["jiki"], original = _listening(lab.app, heard), lab.app.extensions["jiki"]
    try:
        lab.drain()
    finally:
        lab.app.extensions["jiki"] = original
    job = client.get(f"internal/jobs/{job_id}").expect(200).body["job"]
    assert (job["state"], job["result"]) == ("done", {"steps": 3})
    assert job["progress"] == {"done": 3, "total": 3, "note": "step 3"}
    told = [(stream, message["type"], message["data"].get("done")) for stream, message in heard]
    assert told == [
        ("notifications/7", "core.job_progress", 1),
        ("notifications/7", "core.job_progress", 2),
        ("notifications/7", "core.job_progress", 3),
        ("notifications/7", "core.job_done", None),
    ]


def _listening(app, heard):
    """The app's runtime, with everything that is published written down on its way."""
    from dataclasses import replace

    at = runtime_of(app)

    def publish(stream, message, **options):
        heard.append((stream, message))
        return at.publish(stream, message, **options)

    return replace(at, publish=publish)


@pytest.mark.parametrize("job_id", ["00000000-0000-0000-0000-000000000000", "junk"])
def test_an_unknown_job_is_not_found(lab, job_id):
    lab.client().get(f"internal/jobs/{job_id}").expect(404, "not_found")


def test_somebody_elses_job_is_not_found(lab):
    job_id = lab.ask("long_way", JobOptions(owner_id=7), key="a")
    lab.client(8).get(f"internal/jobs/{job_id}").expect(404, "not_found")


def test_the_owner_is_told_of_a_failure_without_its_reason(lab):
    job_id = lab.ask("give_up", JobOptions(owner_id=7))
    lab.drain()
    job = lab.client(7).get(f"internal/jobs/{job_id}").expect(200).body["job"]
    assert job["state"] == "failed"
    assert "reason" not in job
    (told,) = lab.sql("select type, data from core.notifications where user_id = 7")
    assert (told.type, told.data["job_id"]) == ("core.job_failed", str(job_id))


@pytest.mark.parametrize("job", ["sleep_too_long", "query_too_long"])
def test_a_job_that_takes_too_long_is_interrupted_and_counts_as_failed(lab, worker, job):
    job_id = lab.ask(job, key="a")
    process = worker("--queue", "default", "--burst")
    assert process.wait(100) == 0
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures, entry.reason) == (OutboxState.DEAD, 1, "took longer than 1 s")
    assert lab.effects("a") == 0


def test_a_worker_that_is_asked_to_stop_finishes_its_job(lab, worker):
    job_id = lab.ask("count_slowly", key="a", seconds=1.0)
    process = worker("--queue", "default")
    wait_until(lambda: lab.entry(job_id).state == OutboxState.STARTED, seconds=60, what="the start of the job")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert (lab.entry(job_id).state, lab.effects("a")) == (OutboxState.DONE, 1)


def test_a_worker_that_is_asked_twice_gives_its_job_back(lab, worker):
    job_id = lab.ask("count_slowly", key="a", seconds=60.0)
    process = worker("--queue", "default")
    wait_until(lambda: lab.valkey.get("lab:started:a"), seconds=60, what="the start of the job")
    process.send_signal(signal.SIGTERM)
    name = wait_until(lambda: _asked_to_stop(lab), seconds=10, what="the first signal's effect")
    assert name

    def ask_again():
        if process.poll() is None:
            os.kill(process.pid, signal.SIGTERM)
        return process.poll() is not None

    wait_until(ask_again, seconds=20, what="the worker's end")
    entry = lab.entry(job_id)
    assert (entry.state, entry.failures) == (OutboxState.NEW, 0)
    assert entry.reason == "the worker was told to stop; this does not count as a failure"
    assert lab.effects("a") == 0


def _asked_to_stop(lab):
    """RQ notes in the worker's hash that it was asked."""
    return [key for key in lab.valkey.smembers("rq:workers") if lab.valkey.hget(key, "shutdown_requested_date")]


def test_a_cancelled_job_takes_no_effect_even_when_it_had_started(lab, worker):
    from jiki_core.db import unit_of_work
    from jiki_core.jobs.control import cancel_job

    job_id = lab.ask("count_slowly", key="a", seconds=1.0)
    process = worker("--queue", "default", "--burst")
    wait_until(lambda: lab.valkey.get("lab:started:a"), seconds=60, what="the start of the job")
    with lab.app.app_context(), unit_of_work() as uow:
        cancel_job(uow, job_id, reason="not wanted any more")
    assert process.wait(100) == 0
    entry = lab.entry(job_id)
    assert (entry.state, entry.reason) == (OutboxState.CANCELLED, "cancelled: not wanted any more")
    assert lab.effects("a") == 0


def test_drain_works_off_what_is_due_and_leaves_the_rest(lab):
    lab.ask("count", key="a")
    lab.ask("give_up")
    settings = runtime_of(lab.app).settings
    done = lab.folder.flask(
        "jobs",
        "drain",
        "--seconds",
        "30",
        DATABASE_URL=settings.database_url.reveal(),
        REDIS_URL=settings.redis_url.reveal(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "drained"
    assert lab.effects("a") == 1


def test_drain_stops_when_it_is_told_to_and_says_what_is_left(lab):
    first = lab.ask("count_slowly", key="a", seconds=1.0)
    lab.ask("count", key="b")
    settings = runtime_of(lab.app).settings
    environment = lab.folder.environment(
        DATABASE_URL=settings.database_url.reveal(), REDIS_URL=settings.redis_url.reveal()
    )
    process = subprocess.Popen(
        [*FLASK, "jobs", "drain"], cwd=lab.folder.path, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: lab.valkey.get("lab:started:a"), seconds=60, what="the start of the job")
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, told) == (1, "1 left\n")
    assert (lab.entry(first).state, lab.effects("b")) == (OutboxState.DONE, 0)


def test_the_plan_tells_who_does_what_and_fails_when_nobody_does(lab, worker):
    def ask():
        return lab.app.test_cli_runner().invoke(jobs, ["plan", "--json"])

    done = ask()
    assert done.exit_code == 1
    plan = json.loads(done.stdout)
    assert {"name": "lab.count", "plugin": "lab", "queue": "default", "schedule": None} in plan["jobs"]
    assert plan["listeners"]["lab.counted"] == ["lab.on.lab.counted.hear"]
    assert plan["workers"] == {"default": 0, "heavy": 0, "mail": 0}
    assert "the queue mail has no worker: start one with `flask jobs worker --queue mail`" in done.stderr
    port = free_port()
    worker("--metrics", f"127.0.0.1:{port}")
    wait_until(lambda: lab.valkey.smembers("rq:workers"), seconds=60, what="the worker's registration")
    assert "jiki_jobs_total" in requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    plan = json.loads(ask().stdout)
    assert plan["workers"] == {"default": 1, "heavy": 1, "mail": 1}
    assert plan["mistakes"] == ["no scheduler is alive: start one with `flask jobs scheduler`"]


def test_a_worker_runs_nothing_that_valkey_names(lab, worker, tmp_path):
    """Whoever can write to Valkey cannot choose the code, nor stop the worker with junk."""
    made = tmp_path / "made"
    junk = [
        ("os.mkdir", (str(made),)),
        ("jiki_core.jobs.dispatch.run", ("junk", 1)),
        ("jiki_core.jobs.dispatch.run", ()),
    ]
    calling_back = {"on_success": Callback("os.getcwd"), "on_failure": Callback("os.getcwd")}
    queue = open_queue("default", lab.valkey)
    queue.enqueue_many([rq.Queue.prepare_data(named, arguments, **calling_back) for named, arguments in junk])
    job_id = lab.ask("count", key="a")
    process = worker("--queue", "default", "--burst")
    assert process.wait(100) == 0
    assert (made.exists(), lab.entry(job_id).state, lab.effects("a")) == (False, OutboxState.DONE, 1)
    assert queue.count == 0
    assert not list(lab.valkey.scan_iter("rq:job:*")), "nothing is left in Valkey"
