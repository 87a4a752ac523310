"""The course that ships with the project: complete, and every exercise of it can be solved."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from jiki_learning.badge_rules import BADGES, BadgeFacts
from jiki_learning.content.course import CourseContent, FileRole, LessonType
from jiki_learning.content.jiki_format import read_jiki_course

COURSE_FOLDER = Path(str(files("jiki_learning"))) / "data" / "coding-fundamentals"
EXERCISES = sorted(folder.name for folder in (COURSE_FOLDER / "exercises").iterdir())
RUNNER = Path(__file__).with_name("exercise_runner.js")
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def course() -> CourseContent:
    return read_jiki_course(COURSE_FOLDER, known_locales=("hu", "es-ES"))


def test_it_is_the_clients_course_and_reads_without_a_warning(course: CourseContent) -> None:
    assert course.slug == "coding-fundamentals"
    assert course.warnings == ()


def test_it_begins_as_the_client_expects(course: CourseContent) -> None:
    first = course.levels[0]
    assert first.slug == "using-functions"
    assert [lesson.slug for lesson in first.lessons[:3]] == [
        "welcome-to-coding-fundamentals",
        "maze-solve-basic",
        "using-functions",
    ]


def test_it_has_three_levels_and_lessons_of_three_types(course: CourseContent) -> None:
    assert len(course.levels) == 3
    assert {lesson.type for lesson in course.lessons} == {
        LessonType.VIDEO,
        LessonType.EXERCISE,
        LessonType.CHOOSE_LANGUAGE,
    }


def test_every_level_begins_with_a_compulsory_lesson(course: CourseContent) -> None:
    assert all(not level.lessons[0].is_optional for level in course.levels)


def test_every_level_says_something_at_its_end_in_every_language(course: CourseContent) -> None:
    assert all(level.milestone_email_subject and level.milestone_email_content_markdown for level in course.levels)
    translated = {(one.level_uuid, one.locale) for one in course.translations}
    assert translated == {(level.uuid, locale) for level in course.levels for locale in ("hu", "es-ES")}


def test_every_badge_for_a_lesson_can_be_earned_here(course: CourseContent) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    everything = BadgeFacts(completions={lesson.slug: noon for lesson in course.lessons})
    earned = {rule.slug for rule in BADGES if rule.is_eligible(everything)}
    assert {"first_lesson", "maze_navigator", "scenario_handler"} <= earned


def test_one_challenge_is_open_from_the_start_and_others_are_unlocked(course: CourseContent) -> None:
    unlocking = [challenge.unlocked_by_lesson_slug for challenge in course.challenges]
    assert None in unlocking
    assert any(unlocking)


def test_the_learners_file_is_always_solution_js(course: CourseContent) -> None:
    exercises = [lesson.exercise for lesson in course.lessons] + [one.exercise for one in course.challenges]
    stubs = [[file.path for file in exercise.files if file.role is FileRole.STUB] for exercise in exercises if exercise]
    assert stubs == [["solution.js"]] * len(EXERCISES)


def run_tests(folder: Path) -> list[dict[str, Any]]:
    assert NODE is not None
    tests = [str(path) for path in sorted(folder.glob("*.test.js"))]
    run = subprocess.run([NODE, str(RUNNER), *tests], capture_output=True, text=True, timeout=60, check=True)
    results: list[dict[str, Any]] = json.loads(run.stdout)
    return results


needs_node = pytest.mark.skipif(NODE is None, reason="running JavaScript exercises needs Node on the PATH")


@needs_node
@pytest.mark.parametrize("slug", EXERCISES)
def test_the_model_solution_passes(slug: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(COURSE_FOLDER / "exercises" / slug, tmp_path / slug))
    (folder / "exemplar.js").replace(folder / "solution.js")
    results = run_tests(folder)
    assert results
    assert [result for result in results if result["error"]] == []


@needs_node
@pytest.mark.parametrize("slug", EXERCISES)
def test_the_stub_alone_does_not_pass(slug: str) -> None:
    assert any(result["error"] for result in run_tests(COURSE_FOLDER / "exercises" / slug))
