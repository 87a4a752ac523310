"""What of an exercise is run, and what is said at once about its syntax."""

from __future__ import annotations

import pytest

from jiki_learning.content.course import ExerciseFile, FileRole
from jiki_learning.contracts import TestResult, TestStatus
from jiki_learning.exercise_material import language_of, material_of, solution_of
from jiki_learning.syntax_check import MAX_CHARACTERS, SyntaxFault, SyntaxWatch, syntax_faults
from jiki_learning.test_run_states import summary_of

FILES = [
    ExerciseFile("leap.py", FileRole.STUB, "stub"),
    ExerciseFile("leap_test.py", FileRole.TEST, "test"),
    ExerciseFile("years.txt", FileRole.SUPPORT, "years"),
    ExerciseFile(".meta/example.py", FileRole.EXEMPLAR, "answer"),
]


def test_the_model_solution_takes_the_learners_file_names():
    material = material_of("leap", FILES)
    assert material.stub == {"leap.py": "stub"}
    assert material.reference == {"leap.py": "answer"}
    assert (material.tests, material.support) == ({"leap_test.py": "test"}, {"years.txt": "years"})
    assert material.language == "python"


def test_an_exercise_without_a_model_solution_has_no_reference():
    assert material_of("leap", FILES[:3]).reference == {}


def test_a_learner_cannot_replace_the_courses_files():
    submitted = {"leap.py": "mine", "leap_test.py": "mine", "years.txt": "mine", "more.py": "mine"}
    assert solution_of(material_of("leap", FILES), submitted) == {"leap.py": "mine", "more.py": "mine"}


@pytest.mark.parametrize(
    ("names", "language"),
    [(["a.py"], "python"), (["a.js"], "javascript"), (["readme", "a.mjs"], "javascript"), (["a.bf"], ""), ([], "")],
)
def test_the_language_is_told_by_the_first_ending_that_tells_one(names, language):
    assert language_of(names) == language


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("x = 1\n", None),
        ("", None),
        ("def f(:\n  pass", SyntaxFault("a.py", 1, 7, "invalid syntax")),
        ("if x\n  y", SyntaxFault("a.py", 1, 5, "expected ':'")),
        ("x = (\n", SyntaxFault("a.py", 1, 5, "'(' was never closed")),
        ("a\0b", SyntaxFault("a.py", 0, 0, "source code string cannot contain null bytes")),
        ("-" * 19_000 + "1", None),
        ("(" * 19_000, SyntaxFault("a.py", 1, 201, "too many nested parentheses")),
        ("x" + "+x" * 9_000, None),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(code, fault):
    assert syntax_faults("python", {"a.py": code, "notes.txt": "(("}) == ([] if fault is None else [fault])


@pytest.mark.parametrize(
    ("language", "files"),
    [("javascript", {"a.js": "(("}), ("python", {"a.py": "(", "b.py": "x" * MAX_CHARACTERS}), ("", {})],
)
def test_other_languages_and_long_texts_are_not_looked_at(language, files):
    assert syntax_faults(language, files) is None


def test_what_parses_slowly_waits_its_turn():
    ticks = iter([0.0, 0.05, 0.9, 1.06, 1.07])  # a check of 50 ms, then twenty times as long without one
    watch = SyntaxWatch(lambda: next(ticks))
    assert [watch.faults("python", {"a.py": "x = 1"}) for _ in range(3)] == [[], None, []]


def test_a_summary_counts_errors_and_time_outs_as_failures():
    statuses = [TestStatus.PASSED, TestStatus.FAILED, TestStatus.ERROR, TestStatus.TIMED_OUT, TestStatus.NOT_RUN]
    results = [TestResult(str(number), str(number), status) for number, status in enumerate(statuses)]
    assert summary_of(results) == {"total": 5, "passed": 1, "failed": 3, "skipped": 0, "not_run": 1}
