"""Exercises and limits: what can be run, what is refused, and how a course's folder is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jiki_runner.engine.exercise import Exercise, InvalidExercise, Language, read_course_exercise
from jiki_runner.engine.limits import MEBIBYTE, Limits

TESTS = {"leap_test.py": ""}


@pytest.mark.parametrize(
    ("solution", "tests", "support", "complaint"),
    [
        ({"../leap.py": ""}, TESTS, {}, "not a file name"),
        ({"a/leap.py": ""}, TESTS, {}, "not a file name"),
        ({".leap.py": ""}, TESTS, {}, "not a file name"),
        ({"leap\n.py": ""}, TESTS, {}, "not a file name"),
        ({"": ""}, TESTS, {}, "not a file name"),
        ({"x" * 200: ""}, TESTS, {}, "not a file name"),
        ({"leap_test.py": ""}, TESTS, {}, "given twice"),
        ({"data.py": ""}, TESTS, {"data.py": ""}, "given twice"),
        ({"leap.py": "x" * (MEBIBYTE + 1)}, TESTS, {}, "larger than"),
        ({"leap.py": "\ud800"}, TESTS, {}, "not text"),
        ({f"a{n}.py": "" for n in range(60)}, TESTS, {}, "more than the"),
        ({"leap.py": ""}, {}, {}, "no test file"),
        ({"leap.py": ""}, {"notes.txt": ""}, {}, "no test file"),
        ({"json.py": ""}, TESTS, {}, "hide the standard library"),
        ({"unittest.py": ""}, TESTS, {}, "hide the standard library"),
    ],
)
def test_files_that_cannot_be_a_run_are_refused(
    solution: dict[str, str], tests: dict[str, str], support: dict[str, str], complaint: str
) -> None:
    with pytest.raises(InvalidExercise, match=complaint):
        Exercise(Language.PYTHON, solution, tests, support)


@pytest.mark.parametrize(
    ("language", "names", "test_files"),
    [
        (Language.PYTHON, ["leap_test.py", "helper.py"], ("leap_test.py",)),
        (Language.PYTHON, ["test_leap.py", "leap_test.py"], ("test_leap.py", "leap_test.py")),
        (Language.JAVASCRIPT, ["leap.spec.js", "helper.js"], ("leap.spec.js",)),
        (Language.JAVASCRIPT, ["leap.test.mjs"], ("leap.test.mjs",)),
        (Language.JAVASCRIPT, ["leap-spec.js"], ("leap-spec.js",)),
    ],
)
def test_test_files_are_known_by_their_names(language: Language, names: list[str], test_files: tuple[str, ...]) -> None:
    assert Exercise(language, {"leap.js": ""}, dict.fromkeys(names, "")).test_files == test_files


@pytest.mark.parametrize(
    "wrong",
    [
        {"wall_clock_seconds": 0},
        {"wall_clock_seconds": 601},
        {"cpu_seconds": 0},
        {"cpu_seconds": 601},
        {"memory_bytes": 1},
        {"memory_bytes": 4096 * MEBIBYTE},
        {"output_bytes": -1},
        {"output_bytes": 17 * MEBIBYTE},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


def write_course(folder: Path, files: dict[str, list[str]]) -> None:
    (folder / ".meta").mkdir(parents=True)
    (folder / ".meta/config.json").write_text(json.dumps({"files": files}), "utf-8")


def test_a_course_folder_gives_the_stub_and_the_reference(tmp_path: Path) -> None:
    folder = tmp_path / "leap"
    write_course(folder, {"solution": ["leap.py"], "test": ["leap_test.py"], "example": [".meta/example.py"]})
    (folder / "leap.py").write_text("stub", "utf-8")
    (folder / "leap_test.py").write_text("tests", "utf-8")
    (folder / ".meta/example.py").write_text("reference", "utf-8")
    exercise = read_course_exercise(folder, Language.PYTHON)
    assert exercise.slug == "leap"
    assert exercise.stub.solution == {"leap.py": "stub"}
    assert exercise.reference.solution == {"leap.py": "reference"}
    assert exercise.reference.tests == {"leap_test.py": "tests"}


def test_a_course_folder_without_its_files_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "leap"
    write_course(folder, {"solution": ["leap.py"], "test": ["leap_test.py"], "example": [".meta/example.py"]})
    with pytest.raises(InvalidExercise, match=r"leap: .*leap\.py"):
        read_course_exercise(folder, Language.PYTHON)
