"""An app with the runner, on the project's own engines; and a course whose exercises are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from flask import Flask

from jiki_learning.content.course import ExerciseContent, ExerciseFile, FileRole
from jiki_learning.testing import SampleLearner, course, import_into, lesson, level, make_learner

ENGINE_DIRECTORY = Path(__file__).parents[4] / ".cache" / "runner"
PLUGINS = ("auth", "learning", "runner")

PYTHON_TEST = """import unittest
from double import double
class DoubleTest(unittest.TestCase):
    def test_two(self):
        self.assertEqual(double(2), 4)
    def test_three(self):
        self.assertEqual(double(3), 6)
"""
JAVASCRIPT_TEST = """const { double } = require("./double");
test("two", () => expect(double(2)).toBe(4));
test("three", () => expect(double(3)).toBe(6));
"""
GOOD: Mapping[str, str] = {
    "python": "def double(number):\n    return number * 2\n",
    "javascript": "module.exports.double = (number) => number * 2;\n",
}
ENDINGS: Mapping[str, str] = {"python": "py", "javascript": "js"}


@pytest.fixture(scope="session")
def app(make_app: Callable[..., Flask]) -> Flask:
    """Learning and the runner."""
    return make_app(PLUGINS, {"JIKI_RUNNER_ENGINE_DIRECTORY": str(ENGINE_DIRECTORY)})


def exercise(language: str) -> ExerciseContent:
    """Double a number; its tests decide."""
    ending = ENDINGS[language]
    tests = {"python": ("double_test.py", PYTHON_TEST), "javascript": ("double.test.js", JAVASCRIPT_TEST)}[language]
    files = (
        ExerciseFile(f"double.{ending}", FileRole.STUB, ""),
        ExerciseFile(tests[0], FileRole.TEST, tests[1]),
        ExerciseFile(f"exemplar.{ending}", FileRole.EXEMPLAR, GOOD[language]),
    )
    return ExerciseContent("Double", "Double a number.", files, tests_decide=True)


@pytest.fixture
def make_pupil() -> Callable[[Flask, str], SampleLearner]:
    """Somebody in a course of one exercise of a language."""

    def make(app: Flask, language: str) -> SampleLearner:
        import_into(app, course(level("one", lesson("double", exercise=exercise(language)))))
        return make_learner(app)

    return make


@pytest.fixture
def hand_in() -> Callable[..., None]:
    """`hand_in(learner, language, code)`."""

    def submit(learner: SampleLearner, language: str, code: str) -> None:
        body = {"submission": {"files": [{"filename": f"double.{ENDINGS[language]}", "code": code}]}}
        learner.client.post("internal/lessons/double/exercise_submissions", body).expect(201)

    return submit


@pytest.fixture(params=["python", "javascript"])
def language(request: pytest.FixtureRequest) -> str:
    """A language whose engine is there."""
    chosen: str = request.param
    request.getfixturevalue(f"{chosen}_engine")
    return chosen
