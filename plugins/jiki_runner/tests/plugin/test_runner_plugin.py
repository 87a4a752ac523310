"""The plugin: what every plugin and every runner must hold to, what it says without an engine, and its limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from jiki_core.contracts import ask
from jiki_core.db import unit_of_work
from jiki_core.db.unit_of_work import UnitOfWorkMisuse
from jiki_core.plugins import PluginState
from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox
from jiki_learning.contracts import ExerciseRunner, RunLimits, RunOutcome, RunRequest
from jiki_learning.runner_testing import ExerciseRunnerConformance
from jiki_runner.engine import Limits
from jiki_runner.provider import SandboxedRuns, limits_of
from jiki_runner.readiness import missing_engines
from jiki_runner.settings import RunnerSettings

PYTHON_TEST = "from a import one\ndef test_one():\n    assert one() == 1\n"
JAVASCRIPT_TEST = "const { one } = require('./a');\ntest('one', () => expect(one()).toBe(1));\n"
MEBIBYTE = 1024 * 1024


@pytest.mark.soak
@pytest.mark.usefixtures("python_engine")
class TestPythonRunner(ExerciseRunnerConformance):
    plugin = "runner"
    passing = RunRequest("python", {"a.py": "def one(): return 1"}, {"a_test.py": PYTHON_TEST})
    failing = RunRequest("python", {"a.py": "def one(): return 2"}, {"a_test.py": PYTHON_TEST})


@pytest.mark.soak
@pytest.mark.usefixtures("javascript_engine")
class TestJavaScriptRunner(ExerciseRunnerConformance):
    plugin = "runner"
    passing = RunRequest("javascript", {"a.js": "exports.one = () => 1"}, {"a.test.js": JAVASCRIPT_TEST})
    failing = RunRequest("javascript", {"a.js": "exports.one = () => 2"}, {"a.test.js": JAVASCRIPT_TEST})


@pytest.fixture
def engineless(app_with) -> Flask:
    return app_with("auth", "learning", "runner", settings={"JIKI_RUNNER_ENGINE_DIRECTORY": "nowhere"})


def test_without_an_engine_the_plugin_runs_and_nothing_is_run(engineless, make_pupil, hand_in):
    assert engineless.extensions["jiki.host"].status("runner").state is PluginState.RUNNING
    learner = make_pupil(engineless, "python")
    hand_in(learner, "python", "def double(number): return number")
    drain_outbox(engineless)
    run = learner.get("lessons/double/exercise_submissions/latest/test_run").body["test_run"]
    assert (run["state"], run["outcome"]) == ("unavailable", None)
    assert "cannot run" in run["message"]


def test_what_is_missing_is_said_with_its_remedy(tmp_path):
    missing = missing_engines(RunnerSettings(engine_directory=str(tmp_path)))
    assert set(missing) == {"python", "javascript"}
    assert all("flask runner prepare" in one.remedy for one in missing.values())


def test_a_language_that_no_engine_is_made_for_is_a_mistake_of_the_settings(app_with):
    app = app_with("auth", "learning", "runner", settings={"JIKI_RUNNER_LANGUAGES": "python,cobol"})
    status = app.extensions["jiki.host"].status("runner")
    assert status.state is PluginState.CONFIGURE_FAILED
    assert "cobol" in status.cause


def test_nothing_is_run_while_a_unit_is_open(db):
    request = RunRequest("python", {"a.py": ""}, {"a_test.py": ""})
    with db.app_context(), unit_of_work(), pytest.raises(UnitOfWorkMisuse):
        SandboxedRuns().run(request, lambda progress: None, lambda: False)


def test_the_plugin_answers_the_contract(db):
    with db.app_context():
        assert list(ask(ExerciseRunner).languages()) == ["python", "javascript"]


@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        (RunLimits(), Limits(10.0, 12, 128 * MEBIBYTE, 64 * 1024)),
        (RunLimits(3.0, 64 * MEBIBYTE, 10), Limits(3.0, 12, 64 * MEBIBYTE, 10)),
        (RunLimits(600.0, 10**12, 10**12), Limits(10.0, 12, 128 * MEBIBYTE, 64 * 1024)),
        (RunLimits(output_bytes=0), Limits(10.0, 12, 128 * MEBIBYTE, 0)),
    ],
)
def test_a_run_may_ask_for_less_than_the_operator_allows(asked, limits):
    assert limits_of(asked, RunnerSettings()) == limits


def test_the_plan_knows_the_queue_of_test_runs(app):
    queues = {name: bound.job.queue for name, bound in runtime_of(app).jobs.items()}
    assert queues["learning.run_tests"] == queues["learning.check_draft"] == "untrusted"


COURSE = Path(__file__).parents[3] / "jiki_learning/jiki_learning/data/coding-fundamentals"


@pytest.fixture
def invoke(db: Flask):
    def run(*args: str):
        return db.test_cli_runner().invoke(args=["runner", *args])

    return run


@pytest.mark.usefixtures("javascript_engine")
def test_check_runs_stub_and_model_solution(invoke):
    done = invoke("check", "bundled", "--exercise", "umbrella-or-sunglasses")
    assert (done.exit_code, "1 exercises, 0 with mistakes" in done.output) == (0, True), done.output


@pytest.mark.soak
@pytest.mark.usefixtures("javascript_engine")
def test_every_exercise_of_the_bundled_course_does_what_it_should(invoke):
    done = invoke("check", str(COURSE), "--json")
    assert done.exit_code == 0, done.output


@pytest.mark.usefixtures("javascript_engine")
def test_check_names_an_exercise_that_does_not_do_what_it_should(invoke, tmp_path):
    folder = tmp_path / "course"
    (folder / "exercises/easy").mkdir(parents=True)
    lesson = '{"uuid": "7f1cd9b5-17b7-4f2b-9a2e-0a9f2f3f6a11", "slug": "easy", "type": "exercise"}'
    level = f'{{"uuid": "7f1cd9b5-17b7-4f2b-9a2e-0a9f2f3f6a12", "slug": "one", "lessons": [{lesson}]}}'
    (folder / "curriculum.json").write_text(f'{{"levels": [{level}]}}')
    for name, content in {
        "instructions.md": "# Easy\n",
        "solution.js": "exports.one = () => 1",
        "exemplar.js": "exports.one = () => 1",
        "solution.test.js": JAVASCRIPT_TEST.replace("./a", "./solution"),
    }.items():
        (folder / "exercises/easy" / name).write_text(content)
    done = invoke("check", str(folder))
    assert done.exit_code == 1
    assert "the stub passes all tests" in done.output
    assert invoke("check", str(folder), "--allow-stub", "easy").exit_code == 0


@pytest.mark.usefixtures("javascript_engine")
def test_run_shows_each_test(invoke):
    done = invoke("run", "bundled", "umbrella-or-sunglasses", "--stub")
    assert done.exit_code == 1
    assert "FAILED" in done.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("check", "nowhere"), "holds no course"),
        (("check", "bundled", "--exercise", "nothing"), "has no exercise nothing"),
        (("run", "bundled", "nothing"), "has no exercise nothing"),
    ],
)
def test_what_is_not_there_is_said(invoke, arguments, sentence):
    done = invoke(*arguments)
    assert done.exit_code == 1
    assert sentence in done.output


def test_a_run_that_is_no_run_is_told_apart_from_a_missing_engine(db, python_engine):
    with db.app_context():
        report = SandboxedRuns().run(
            RunRequest("python", {"a/b.py": ""}, {"a_test.py": ""}), lambda progress: None, lambda: False
        )
    assert report is not None
    assert (report.outcome, "a/b.py" in report.message) == (RunOutcome.BROKEN, True)
