"""Test runs on the server: asked for with a submission, superseded, cancelled, run again, told on SubmissionChannel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from jiki_core.db import unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.testing import drain_outbox, wait_until
from jiki_core.testing.cable import CableClient, CableSubscription, SubscriptionRejected
from jiki_learning.commands.sweep_test_runs import sweep_test_runs
from jiki_learning.content.course import ExerciseContent, ExerciseFile, FileRole
from jiki_learning.contracts import RunRequest
from jiki_learning.runner_testing import ExerciseRunnerConformance, ScriptedRunner, scripted_runner
from jiki_learning.testing import SampleLearner, course, import_into, lesson, level, make_learner, validated_message
from jiki_payments.testing import make_premium

__all__ = ["scripted_runner"]  # a fixture

RUN = "lessons/two-lines/exercise_submissions/latest/test_run"
CHANNEL = "SubmissionChannel"


def exercise(*, tests_decide: bool = False, language: str = "py") -> ExerciseContent:
    files = (
        ExerciseFile(f"two_lines.{language}", FileRole.STUB, "one\n"),
        ExerciseFile(f"two_lines_test.{language}", FileRole.TEST, "one\ntwo\n"),
        ExerciseFile(".meta/example.py", FileRole.EXEMPLAR, "one\ntwo\n"),
    )
    return ExerciseContent("Two lines", "Write two lines.", files, tests_decide=tests_decide)


def learner_of(app: Flask, **options: Any) -> SampleLearner:
    """Somebody in a course of one exercise with two tests."""
    import_into(app, course(level("one", lesson("two-lines", exercise=exercise(**options)), lesson("no-material"))))
    return make_learner(app)


def submit(learner: SampleLearner, *lines: str, passed: bool | None = None, slug: str = "two-lines", **files: str):
    given = {"two_lines.py": "\n".join(lines), **{name.replace("__", "."): code for name, code in files.items()}}
    submission = {"files": [{"filename": name, "code": code} for name, code in given.items()]}
    if passed is not None:
        submission["passed"] = passed
    path = f"internal/lessons/{slug}/exercise_submissions"
    return learner.client.post(path, {"submission": submission}).expect(201)


def run_of(learner: SampleLearner, path: str = RUN) -> dict[str, Any]:
    return learner.get(path).expect(200).body["test_run"]


def state_of(learner: SampleLearner) -> str:
    return learner.get("user_lessons/two-lines").expect(200).body["user_lesson"]["data"]["exercise_state"]


@pytest.fixture
def pupil(db: Flask, scripted_runner: ScriptedRunner) -> SampleLearner:
    return learner_of(db)


class TestScriptedRunner(ExerciseRunnerConformance):
    plugin = "core"
    passing = RunRequest("python", {"a.py": "one\ntwo"}, {"a_test.py": "one\ntwo"})
    failing = RunRequest("python", {"a.py": "one"}, {"a_test.py": "one\ntwo"})

    @pytest.fixture
    def provider(self, db: Flask, scripted_runner: ScriptedRunner) -> ScriptedRunner:
        return scripted_runner


def test_without_a_runner_results_come_from_the_client_only(db, count_rows):
    learner = learner_of(db, tests_decide=True)
    submit(learner, "one", passed=True)
    learner.get(RUN).expect(404, "not_found")
    assert count_rows("test_runs") == 0
    assert state_of(learner) == "passed"


def test_a_submission_is_queued_run_and_its_results_kept(db, pupil):
    submit(pupil, "one")
    queued = run_of(pupil)
    assert (queued["state"], queued["position"], queued["outcome"], queued["tests"]) == ("queued", 1, None, [])
    drain_outbox(db)
    run = run_of(pupil)
    assert (run["state"], run["outcome"], run["language"], run["position"]) == ("finished", "failed", "python", None)
    assert [(one["name"], one["status"]) for one in run["tests"]] == [("one", "passed"), ("two", "failed")]
    assert run["tests"][1]["message"] == "there is no line two"
    assert run["summary"] == {"total": 2, "passed": 1, "failed": 1, "skipped": 0, "not_run": 0}
    uuid = pupil.get("lessons/two-lines/exercise_submissions/latest").body["submission"]["uuid"]
    assert run["submission_uuid"] == uuid
    assert run_of(pupil, f"lessons/two-lines/exercise_submissions/{uuid}/test_run") == run


def test_a_solution_that_cannot_be_loaded_says_why(db, pupil):
    submit(pupil, "broken")
    drain_outbox(db)
    run = run_of(pupil)
    assert run["outcome"] == "broken"
    assert run["breakage"]["message"] == "it is broken"


@pytest.mark.parametrize(
    ("decides", "claim", "line", "state"),
    [
        (True, True, "nothing", "failed"),
        (True, False, "two", "passed"),
        (True, None, "two", "passed"),
        (False, True, "nothing", "passed"),
        (False, None, "two", "submitted"),
    ],
)
def test_the_run_decides_where_the_course_says_so(db, scripted_runner, decides, claim, line, state):
    learner = learner_of(db, tests_decide=decides)
    submit(learner, "one", line, passed=claim)
    assert state_of(learner) == ("submitted" if decides or claim is None else "passed")
    drain_outbox(db)
    assert state_of(learner) == state


def test_tests_that_a_learner_hands_in_are_not_the_ones_that_run(db, pupil):
    submit(pupil, "one", two_lines_test__py="one")
    drain_outbox(db)
    assert run_of(pupil)["summary"]["total"] == 2


def test_a_newer_submission_supersedes_the_run_of_an_older_one(db, pupil, scripted_runner):
    submit(pupil, "one")
    older = run_of(pupil)["uuid"]
    submit(pupil, "one", "two")
    assert run_of(pupil)["uuid"] != older
    first = pupil.get("lessons/two-lines/exercise_submissions?per=10").body["results"][-1]["uuid"]
    assert run_of(pupil, f"lessons/two-lines/exercise_submissions/{first}/test_run")["state"] == "superseded"
    drain_outbox(db)
    assert scripted_runner.runs == 1
    assert run_of(pupil)["outcome"] == "passed"


def test_the_same_again_is_not_run_again(db, pupil, scripted_runner):
    submit(pupil, "one")
    drain_outbox(db)
    submit(pupil, "one")
    drain_outbox(db)
    assert scripted_runner.runs == 1


def test_the_same_again_is_run_when_nothing_came_of_it(db, pupil, scripted_runner):
    scripted_runner.is_engine_there = False
    submit(pupil, "one")
    drain_outbox(db)
    unavailable = run_of(pupil)
    assert (unavailable["state"], unavailable["outcome"]) == ("unavailable", None)
    scripted_runner.is_engine_there = True
    submit(pupil, "one")
    drain_outbox(db)
    assert run_of(pupil)["outcome"] == "failed"


def test_a_cancelled_run_is_not_run(db, pupil, scripted_runner):
    submit(pupil, "one")
    cancelled = pupil.client.post(f"internal/{RUN}/cancel").expect(200).body["test_run"]
    assert cancelled["state"] == "cancelled"
    drain_outbox(db)
    assert scripted_runner.runs == 0
    assert pupil.client.post(f"internal/{RUN}/cancel").expect(200).body["test_run"]["state"] == "cancelled"


def test_a_run_that_is_over_cannot_be_cancelled_any_more(db, pupil):
    submit(pupil, "one")
    drain_outbox(db)
    assert pupil.client.post(f"internal/{RUN}/cancel").expect(200).body["test_run"]["state"] == "finished"


def test_a_runner_that_does_not_answer_is_asked_again_and_then_it_is_a_fault(db, pupil, scripted_runner):
    scripted_runner.is_answering = False
    submit(pupil, "one")
    drain_outbox(db)
    assert run_of(pupil)["state"] == "running"
    drain_outbox(db, including_later=True)
    drain_outbox(db, including_later=True)
    drain_outbox(db, including_later=True)
    run = run_of(pupil)
    assert (run["state"], run["outcome"]) == ("finished", "fault")
    assert "not your doing" in run["message"]
    with db.app_context(), unit_of_work() as uow:
        assert uow.session.query(OutboxEntry).filter_by(name="learning.run_tests").one().state == OutboxState.DONE


def test_a_runner_that_answers_late_is_in_time(db, pupil, scripted_runner):
    scripted_runner.is_answering = False
    submit(pupil, "one")
    drain_outbox(db)
    scripted_runner.is_answering = True
    drain_outbox(db, including_later=True)
    assert run_of(pupil)["outcome"] == "failed"


def test_a_job_that_comes_twice_makes_one_result(db, pupil, scripted_runner):
    """As after a worker that died: the run is `running`, its job goes to another."""
    submit(pupil, "one")
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("update learning.test_runs set state = 'running', started_at = now()"))
    drain_outbox(db)
    assert run_of(pupil)["outcome"] == "failed"
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("update core.outbox set state = 'new' where name = 'learning.run_tests'"))
        uow.session.execute(text("delete from core.job_receipts"))
    drain_outbox(db)
    assert scripted_runner.runs == 1


def test_a_lesson_whose_tests_the_client_holds_is_not_run(db, pupil, count_rows):
    pupil.complete("two-lines").expect(200)
    submit(pupil, "one", slug="no-material")
    assert count_rows("test_runs") == 0


def test_a_language_that_nobody_runs_is_not_queued(db, scripted_runner, count_rows):
    learner = learner_of(db, language="rb")
    submit(learner, "one")
    assert count_rows("test_runs") == 0


def test_a_run_is_its_learners_alone(db, pupil):
    submit(pupil, "one")
    make_learner(db).get(RUN).expect(404, "not_found")


def test_a_challenge_has_runs_too(db, scripted_runner):
    content = course(level("one", "lesson-1"), challenges={"riddle": None})
    with_material = replace(content.challenges[0], exercise=exercise())
    import_into(db, replace(content, challenges=(with_material,)))
    learner = make_learner(db)
    make_premium(db, learner.id)
    body = {"submission": {"files": [{"filename": "two_lines.py", "code": "one\ntwo"}]}}
    learner.client.post("internal/challenges/riddle/exercise_submissions", body).expect(201)
    path = "challenges/riddle/exercise_submissions/latest/test_run"
    assert learner.client.post(f"internal/{path}/cancel").expect(200).body["test_run"]["state"] == "cancelled"
    learner.client.post("internal/challenges/riddle/exercise_submissions", body).expect(201)
    drain_outbox(db)
    assert run_of(learner, path)["outcome"] == "passed"


def test_details_of_old_runs_are_forgotten_and_their_outcome_stays(db, pupil):
    submit(pupil, "one")
    drain_outbox(db)
    for days, count in ((170, 2), (190, 0)):
        with db.app_context(), unit_of_work() as uow:
            at = uow.now - timedelta(days=days)
            uow.session.execute(text("update learning.test_runs set finished_at = :at"), {"at": at})
            assert sweep_test_runs(uow) is False
        run = run_of(pupil)
        assert (run["outcome"], run["summary"]["total"], len(run["tests"])) == ("failed", 2, count)


# --- SubmissionChannel ---


@pytest.fixture
def watcher(committed_db: Flask, scripted_runner: ScriptedRunner) -> Iterator[Any]:
    """(learner, subscription): somebody who watches the runs of a lesson."""
    learner = learner_of(committed_db)
    with CableClient(committed_db, learner.client) as cable:
        yield learner, cable.subscribe(CHANNEL, lesson_slug="two-lines")


def hear(app: Flask, subscription: Any, *, until: str) -> list[dict[str, Any]]:
    """Messages up to one of a type, each checked against the AsyncAPI document."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["type"] != until:
        heard.append(validated_message(app, CHANNEL, subscription.receive()))
    return heard


def test_a_run_is_told_as_it_happens(committed_db, watcher):
    learner, subscription = watcher
    submit(learner, "one")
    drain_outbox(committed_db)
    heard = hear(committed_db, subscription, until="finished")
    assert [one["type"] for one in heard] == ["queued", "running", "tests", "result", "result", "finished"]
    assert heard[0]["position"] == 1
    assert [one["result"]["status"] for one in heard if one["type"] == "result"] == ["passed", "failed"]
    assert (heard[-1]["state"], heard[-1]["outcome"], heard[-1]["summary"]["failed"]) == ("finished", "failed", 1)


def test_who_comes_late_is_told_the_state_at_once_and_may_ask_again(committed_db, watcher):
    learner, subscription = watcher
    submit(learner, "one")
    drain_outbox(committed_db)
    hear(committed_db, subscription, until="finished")
    with CableClient(committed_db, learner.client) as cable:
        late = cable.subscribe(CHANNEL, lesson_slug="two-lines")
        first = hear(committed_db, late, until="finished")
        assert len(first) == 1
        late.perform("refresh")
        assert hear(committed_db, late, until="finished") == first


def test_waiting_runs_are_told_their_positions(committed_db, scripted_runner, watcher):
    learner, subscription = watcher
    other = make_learner(committed_db)
    submit(other, "one", "two")
    submit(learner, "one")
    assert hear(committed_db, subscription, until="queued")[0]["position"] == 2
    drain_outbox(committed_db)
    heard = hear(committed_db, subscription, until="finished")
    assert (heard[0]["type"], heard[0]["position"]) == ("queued", 1)


def test_a_superseded_run_is_told(committed_db, watcher):
    learner, subscription = watcher
    submit(learner, "one")
    submit(learner, "one", "two")
    heard = hear(committed_db, subscription, until="finished")
    assert heard[-1]["state"] == "superseded"
    drain_outbox(committed_db)
    assert hear(committed_db, subscription, until="finished")[-1]["outcome"] == "passed"


def test_a_run_under_way_stops_when_it_is_superseded(committed_db, scripted_runner, watcher):
    learner, subscription = watcher
    submit(learner, "one")
    with scripted_runner.held():
        worker = threading.Thread(target=drain_outbox, args=(committed_db,))
        worker.start()
        wait_until(lambda: scripted_runner.running, what="the first run")
        submit(learner, "one", "two")
        wait_until(lambda: scripted_runner.runs == 2, what="the second run, which the first made way for")
    worker.join(20)
    heard = hear(committed_db, subscription, until="finished")
    heard += hear(committed_db, subscription, until="finished")
    assert [one["state"] for one in heard if one["type"] == "finished"] == ["superseded", "finished"]
    assert run_of(learner)["outcome"] == "passed"
    assert scripted_runner.most_running == 1


def test_the_same_again_is_told_again(committed_db, watcher):
    learner, subscription = watcher
    submit(learner, "one")
    drain_outbox(committed_db)
    hear(committed_db, subscription, until="finished")
    submit(learner, "one")
    assert hear(committed_db, subscription, until="finished")[-1]["outcome"] == "failed"


def test_nobody_hears_of_anothers_runs(committed_db, watcher):
    learner, subscription = watcher
    other = make_learner(committed_db)
    submit(other, "one", "two")
    submit(learner, "one")
    drain_outbox(committed_db)
    heard = hear(committed_db, subscription, until="finished")
    assert len({one["test_run_uuid"] for one in heard}) == 1


@pytest.mark.parametrize(
    "params", [{}, {"lesson_slug": "nowhere"}, {"lesson_slug": "two-lines", "challenge_slug": "x"}, {"id": 1}]
)
def test_a_subscription_names_one_lesson_or_challenge(committed_db, watcher, params):
    learner, _ = watcher
    with CableClient(committed_db, learner.client) as cable, pytest.raises(SubscriptionRejected):
        cable.subscribe(CHANNEL, **params)


def test_after_a_cut_the_history_has_the_rest(committed_db, watcher):
    learner, subscription = watcher
    submit(learner, "one")
    hear(committed_db, subscription, until="queued")
    position = next(one for one in subscription._wire.said if "offset" in one)
    since = {position["stream_id"]: {"offset": position["offset"], "epoch": position["epoch"]}}
    subscription._wire.close(1006)
    drain_outbox(committed_db)
    with CableClient(committed_db, learner.client) as cable:
        back = CableSubscription(cable._wire, subscription.identifier)
        history = {"since": 0, "streams": since}
        cable._wire.say({"command": "subscribe", "identifier": subscription.identifier, "history": history})
        told = hear(committed_db, back, until="finished")  # the state, as to anybody who comes late
        told += hear(committed_db, back, until="finished")
        wait_until(lambda: any(one.get("type") == "confirm_history" for one in cable.said), what="the whole history")
    assert [one["type"] for one in told] == ["finished", "running", "tests", "result", "result", "finished"]
    assert run_of(learner)["tests"] == [one["result"] for one in told if one["type"] == "result"]
