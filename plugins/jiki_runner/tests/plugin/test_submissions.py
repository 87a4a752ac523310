"""Submissions on the server with real engines: from the request to the result, and through the death of a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from jiki_core.db import reading, unit_of_work
from jiki_core.jobs.reconciler import leases_over
from jiki_core.jobs.relay import relay_once
from jiki_core.plugins.pausing import pause_plugin, resume_plugin
from jiki_core.runtime import runtime_of
from jiki_core.testing import CableClient, drain_outbox, wait_until
from jiki_learning.testing import SampleLearner, validated_message

RUN = "lessons/double/exercise_submissions/latest/test_run"
ENGINE_DIRECTORY = Path(__file__).parents[4] / ".cache" / "runner"
PROGRAMS = {
    "python": {
        "good": "def double(number):\n    return number * 2\n",
        "wrong": "def double(number):\n    return number ** 2\n",
        "broken": "def double(number):\n    return number *\n",
        "endless": "def double(number):\n    while True:\n        pass\n",
    },
    "javascript": {
        "good": "module.exports.double = (number) => number * 2;\n",
        "wrong": "module.exports.double = (number) => number ** 2;\n",
        "broken": "module.exports.double = (number) => number *;\n",
        "endless": "module.exports.double = () => { for (;;) {} };\n",
    },
}


def run_of(learner: SampleLearner) -> dict[str, Any]:
    run: dict[str, Any] = learner.get(RUN).expect(200).body["test_run"]
    return run


def test_a_submission_is_run_and_decides(db, make_pupil, hand_in, language):
    learner = make_pupil(db, language)
    hand_in(learner, language, PROGRAMS[language]["wrong"])
    drain_outbox(db)
    run = run_of(learner)
    assert (run["state"], run["outcome"], run["language"]) == ("finished", "failed", language)
    assert [one["status"] for one in run["tests"]].count("failed") == 1
    failed = next(one for one in run["tests"] if one["status"] == "failed")
    assert (failed["expected"], failed["actual"]) == ("6", "9")
    state = learner.get("user_lessons/double").body["user_lesson"]["data"]["exercise_state"]
    assert state == "failed"


@pytest.mark.soak
def test_a_mistake_is_shown_as_such(db, make_pupil, hand_in, language):
    learner = make_pupil(db, language)
    hand_in(learner, language, PROGRAMS[language]["broken"])
    drain_outbox(db)
    run = run_of(learner)
    assert (run["outcome"], run["breakage"]["error_type"]) == ("broken", "SyntaxError")
    assert run["breakage"]["places"][0]["line"] == {"python": 2, "javascript": 1}[language]


@pytest.mark.soak
def test_a_run_without_an_end_is_ended_and_said_so(db, make_pupil, hand_in, language):
    learner = make_pupil(db, language)
    hand_in(learner, language, PROGRAMS[language]["endless"])
    drain_outbox(db)
    run = run_of(learner)
    assert run["outcome"] in ("stopped", "failed")
    assert "wall_clock" in run["limits_hit"]
    assert run["tests"][0]["status"] == "timed_out"


@pytest.mark.soak
def test_results_come_on_the_socket_as_they_happen(committed_db, make_pupil, hand_in, language):
    learner = make_pupil(committed_db, language)
    with CableClient(committed_db, learner.client) as cable:
        subscription = cable.subscribe("SubmissionChannel", lesson_slug="double")
        hand_in(learner, language, PROGRAMS[language]["good"])
        drain_outbox(committed_db)
        heard = []
        while not heard or heard[-1]["type"] != "finished":
            heard.append(validated_message(committed_db, "SubmissionChannel", subscription.receive(20)))
    assert [one["type"] for one in heard] == ["queued", "running", "tests", "result", "result", "finished"]
    assert heard[-1]["outcome"] == "passed"


@contextmanager
def worker_of(app: Flask) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the queue `untrusted` in a process of its own."""
    settings = runtime_of(app).settings
    environment = {
        **os.environ,
        "JIKI_ENV": "test",
        "JIKI_PLUGINS_ENABLED": "auth,learning,runner",
        "DATABASE_URL": settings.database_url.reveal(),
        "REDIS_URL": settings.redis_url.reveal(),
        "JIKI_RUNNER_ENGINE_DIRECTORY": str(ENGINE_DIRECTORY),
        "JIKI_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "flask", "--app", "jiki_core"]
    command += ["jobs", "worker", "--queue", "untrusted"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait(20)


def children_of(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


@pytest.mark.fault
def test_a_worker_killed_in_the_middle_of_a_run_leaves_nothing_and_the_run_is_run_again(
    committed_db, make_pupil, hand_in, language
):
    learner = make_pupil(committed_db, language)
    hand_in(learner, language, PROGRAMS[language]["endless"])
    with worker_of(committed_db) as process:
        wait_until(lambda: run_of(learner)["state"] == "running", seconds=60, what="the run's beginning")
        sandboxes = wait_until(lambda: children_of(process.pid), seconds=30, what="the sandbox")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        wait_until(
            lambda: not any(Path(f"/proc/{one}").exists() for one in sandboxes), seconds=20, what="the sandbox's end"
        )
    assert run_of(learner)["state"] == "running"
    with committed_db.app_context():
        with unit_of_work() as uow:  # the lease is over sooner than in half a minute
            uow.session.execute(text("update core.outbox set lease_until = now() - interval '1 second'"))
        assert leases_over() == 1
        relay_once(runtime_of(committed_db).redis)
    with worker_of(committed_db):
        wait_until(lambda: run_of(learner)["state"] == "finished", seconds=90, what="the result of the second run")
    run = run_of(learner)
    assert "wall_clock" in run["limits_hit"]
    with committed_db.app_context():
        rows = reading().execute(text("select count(*) from learning.test_runs")).scalar_one()
        receipts = reading().execute(
            text("""
                select count(*) from core.job_receipts r join core.outbox o on o.id = r.outbox_id
                where o.name = 'learning.run_tests'
            """)
        )
        assert (rows, receipts.scalar_one()) == (1, 1)


def test_a_run_waits_while_the_runner_is_paused(committed_db, make_pupil, hand_in, javascript_engine):
    learner = make_pupil(committed_db, "javascript")
    hand_in(learner, "javascript", PROGRAMS["javascript"]["good"])
    with committed_db.app_context(), unit_of_work() as uow:
        pause_plugin(uow, "runner", reason="an engine is prepared")
    wait_until(lambda: runtime_of(committed_db).plugins.is_paused("runner"), what="the pause")
    drain_outbox(committed_db)
    assert (run_of(learner)["state"], run_of(learner)["position"]) == ("queued", 1)
    with committed_db.app_context(), unit_of_work() as uow:
        resume_plugin(uow, "runner")
    wait_until(lambda: not runtime_of(committed_db).plugins.is_paused("runner"), what="the end of the pause")
    drain_outbox(committed_db, including_later=True)
    assert run_of(learner)["outcome"] == "passed"
