"""Reading an Exercism track: a small one written here, with its mistakes, and the real one beside the
repository."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    CourseContent,
    FileRole,
    LessonContent,
    LessonType,
    LevelContent,
)
from jiki_learning.content.exercism_format import read_exercism_course
from jiki_learning.content.jiki_format import read_jiki_course
from jiki_learning.content.mistakes import ContentRefused

BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[5] / "shared" / "data" / "exercism-python"
PYTHON_TRACK = Path(os.environ.get("JIKI_EXERCISM_TRACK", BESIDE_THE_REPOSITORY))


def exercise(slug: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug.replace("-", " ").title(),
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "prerequisites": [],
        **more,
    }


def concept(slug: str, number: int) -> dict[str, Any]:
    return {"uuid": f"00000000-0000-4000-8000-{number:012}", "slug": slug, "name": slug.title()}


CONFIG: dict[str, Any] = {
    "slug": "tiny",
    "files": {
        "solution": ["%{snake_slug}.py"],
        "test": ["%{snake_slug}_test.py"],
        "example": [".meta/example.py"],
        "exemplar": [".meta/exemplar.py"],
    },
    "exercises": {
        "concept": [
            exercise("lasagna", 1, concepts=["basics"], status="beta"),
            exercise("ghost-gobble", 2, concepts=["bools"], prerequisites=["basics"]),
            exercise("draft", 3, concepts=[], prerequisites=["bools"], status="wip"),
        ],
        "practice": [
            exercise("hello-world", 4, practices=[], difficulty=1),
            exercise("leap-year", 5, practices=["bools"], prerequisites=["bools", "basics"], difficulty=3),
            exercise("old-one", 6, practices=[], status="deprecated"),
        ],
    },
    "concepts": [concept("basics", 11), concept("bools", 12), concept("recursion", 13)],
}


@pytest.fixture
def track(tmp_path: Path) -> Path:
    root = tmp_path / "tiny-track"
    write(root / "config.json", CONFIG)
    for kind, model in (("concept", "exemplar"), ("practice", "example")):
        for one in CONFIG["exercises"][kind]:
            folder = root / "exercises" / kind / one["slug"]
            snake = one["slug"].replace("-", "_")
            names = {"solution": [f"{snake}.py"], "test": [f"{snake}_test.py"], model: [f".meta/{model}.py"]}
            write(folder / ".meta" / "config.json", {"blurb": f"About {one['slug']}.", "files": names})
            write(folder / ".docs" / "instructions.md", f"# Instructions\n\nSolve {one['slug']}.\n")
            write(folder / ".docs" / "introduction.md", "# Introduction\n")
            for path in (f"{snake}.py", f"{snake}_test.py", f".meta/{model}.py"):
                write(folder / path, f"# {path}\n")
    return root


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")


def edit(file: Path, change: Callable[[Any], Any]) -> None:
    content = json.loads(file.read_text())
    change(content)
    write(file, content)


def mistakes(track: Path) -> list[str]:
    with pytest.raises(ContentRefused) as refusal:
        read_exercism_course(track)
    return [f"{one.file}:{one.line}: {one.cause}" for one in refusal.value.mistakes]


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), start=1) if text in line)


# What is read


def test_a_track_becomes_levels_around_its_concept_exercises(track: Path) -> None:
    course = read_exercism_course(track)
    assert course.slug == "exercism-tiny"
    assert [(level.slug, [lesson.slug for lesson in level.lessons]) for level in course.levels] == [
        ("hello-world", ["hello-world", "lasagna", "old-one"]),
        ("ghost-gobble", ["ghost-gobble", "leap-year"]),
        ("draft", ["draft"]),
    ]


def test_hello_world_and_finished_concept_exercises_are_compulsory(track: Path) -> None:
    course = read_exercism_course(track)
    assert [lesson.slug for lesson in course.lessons if not lesson.is_optional] == [
        "hello-world",
        "lasagna",
        "ghost-gobble",
    ]


def test_exercises_keep_their_identity_and_levels_get_a_lasting_one(track: Path) -> None:
    course, again = read_exercism_course(track), read_exercism_course(track)
    assert course.lessons[0].uuid == "00000000-0000-4000-8000-000000000004"
    assert [level.uuid for level in course.levels] == [level.uuid for level in again.levels]
    assert len({level.uuid for level in course.levels}) == 3
    elsewhere = read_exercism_course(track, course_slug="other")
    assert elsewhere.slug == "other"
    assert not {level.uuid for level in course.levels} & {level.uuid for level in elsewhere.levels}


def test_an_exercise_brings_texts_files_and_concepts(track: Path) -> None:
    folder = track / "exercises" / "practice" / "leap-year"
    write(folder / ".docs" / "instructions.append.md", "# Instructions append\n\nIn this track: hurry.\n")
    write(folder / ".docs" / "hints.md", "# Hints\n")
    leap = read_exercism_course(track).levels[1].lessons[1].exercise
    assert leap is not None
    assert (leap.title, leap.blurb, leap.difficulty) == ("Leap Year", "About leap-year.", 3)
    assert "Solve leap-year.\n\n# Instructions append" in leap.instructions
    assert leap.hints == "# Hints\n"
    assert (leap.concepts, leap.prerequisites, leap.practices) == ((), ("bools", "basics"), ("bools",))
    assert [(file.path, file.role, file.content) for file in leap.files] == [
        ("leap_year.py", FileRole.STUB, "# leap_year.py\n"),
        ("leap_year_test.py", FileRole.TEST, "# leap_year_test.py\n"),
        (".meta/example.py", FileRole.EXEMPLAR, "# .meta/example.py\n"),
    ]


def test_file_names_an_exercise_leaves_out_come_from_the_track(track: Path) -> None:
    edit(
        track / "exercises" / "concept" / "ghost-gobble" / ".meta" / "config.json",
        lambda c: c["files"].clear(),
    )
    ghost = read_exercism_course(track).levels[1].lessons[0].exercise
    assert ghost is not None
    assert [file.path for file in ghost.files] == [
        "ghost_gobble.py",
        "ghost_gobble_test.py",
        ".meta/exemplar.py",
    ]


def test_concepts_are_unlocked_by_the_exercise_that_teaches_them(track: Path) -> None:
    concepts = read_exercism_course(track).concepts
    assert [(one.slug, one.unlocked_by_lesson_slug) for one in concepts] == [
        ("basics", "lasagna"),
        ("bools", "ghost-gobble"),
        ("recursion", None),
    ]


def test_a_prerequisite_nobody_teaches_is_a_warning(track: Path) -> None:
    edit(track / "config.json", lambda c: c["exercises"]["practice"][1]["prerequisites"].append("recursion"))
    course = read_exercism_course(track)
    line = line_of(track / "config.json", '"recursion"')
    [warning] = course.warnings
    assert str(warning.origin) == f"config.json:{line}"
    assert warning.cause == "leap-year needs recursion, which no concept exercise teaches"
    assert course.levels[-1].lessons[-1].slug == "leap-year"


# What is refused


def test_missing_files_are_shown_where_they_are_asked_for(track: Path) -> None:
    practice, concepts = track / "exercises" / "practice", track / "exercises" / "concept"
    (practice / "leap-year" / "leap_year_test.py").unlink()
    (practice / "hello-world" / ".docs" / "instructions.md").unlink()
    (practice / "old-one" / ".meta" / "config.json").unlink()
    (concepts / "lasagna" / ".docs" / "introduction.md").unlink()
    config = track / "config.json"
    leap = practice / "leap-year" / ".meta" / "config.json"
    assert mistakes(track) == [
        f"config.json:{line_of(config, 'lasagna')}: exercises/concept/lasagna/.docs/introduction.md is missing",
        f"config.json:{line_of(config, 'hello-world')}: "
        "exercises/practice/hello-world/.docs/instructions.md is missing",
        f"config.json:{line_of(config, 'old-one')}: exercises/practice/old-one/.meta/config.json is missing",
        f"exercises/practice/leap-year/.meta/config.json:{line_of(leap, 'leap_year_test.py')}: "
        "exercises/practice/leap-year/leap_year_test.py is missing",
    ]


def test_a_cycle_is_shown_at_each_of_its_prerequisites(track: Path) -> None:
    edit(track / "config.json", lambda c: c["exercises"]["concept"][1]["prerequisites"].append("loops"))
    edit(track / "config.json", lambda c: c["exercises"]["concept"][2]["concepts"].append("loops"))
    edit(track / "config.json", lambda c: c["concepts"].append(concept("loops", 14)))
    lines = (track / "config.json").read_text().splitlines()
    draft = line_of(track / "config.json", '"slug": "draft"')
    needs_loops = lines.index('          "loops"') + 1
    needs_bools = lines.index('          "bools"', draft) + 1
    assert mistakes(track) == [
        f"config.json:{needs_loops}: ghost-gobble needs loops, which draft teaches: a cycle of prerequisites",
        f"config.json:{needs_bools}: draft needs bools, which ghost-gobble teaches: a cycle of prerequisites",
    ]


def practice(number: int, **changes: Any) -> Callable[[Any], Any]:
    return lambda config: config["exercises"]["practice"][number].update(changes)


@pytest.mark.parametrize(
    ("change", "text", "cause"),
    [
        (practice(0, status="lost"), "lost", "unknown status 'lost'"),
        (practice(0, uuid="1"), '"uuid": "1"', "uuid '1' is not a UUID"),
        (
            practice(0, prerequisites="basics"),
            '"prerequisites": "basics"',
            "prerequisites is not a list",
        ),
        (practice(0, difficulty="hard"), "hard", "difficulty is not a whole number"),
        (practice(1, slug="../../etc"), "../../etc", "slug '../../etc' is not a slug"),
        (
            lambda config: config["exercises"]["concept"][0].update(concepts=["magic"]),
            "magic",
            "lasagna teaches magic, which is no concept of the track",
        ),
        (lambda config: config.pop("concepts"), "{", "concepts is missing"),
        (lambda config: config.pop("exercises"), "{", "exercises is missing"),
    ],
)
def test_a_mistake_of_the_track_is_shown_where_it_stands(
    track: Path, change: Callable[[Any], Any], text: str, cause: str
) -> None:
    edit(track / "config.json", change)
    assert f"config.json:{line_of(track / 'config.json', text)}: {cause}" in mistakes(track)


def test_an_exercise_listed_twice_is_refused(track: Path) -> None:
    edit(track / "config.json", practice(1, slug="hello-world"))
    assert any("the exercise slug hello-world is used already, at config.json:" in one for one in mistakes(track))


def test_a_file_outside_the_track_is_not_read(track: Path) -> None:
    (track.parent / "secret.py").write_text("secret")
    config = track / "exercises" / "practice" / "hello-world" / ".meta" / "config.json"
    edit(config, lambda c: c["files"].update(solution=["../../../../secret.py"]))
    assert "lies outside the course" in mistakes(track)[0]


def test_a_folder_that_is_no_track_is_refused(tmp_path: Path) -> None:
    assert mistakes(tmp_path) == ["config.json:1: config.json is missing"]


# The real track

needs_track = pytest.mark.skipif(
    not PYTHON_TRACK.exists(),
    reason="the Python track lies beside the repository, or where JIKI_EXERCISM_TRACK says",
)


@pytest.fixture(scope="module")
def python_course() -> CourseContent:
    return read_exercism_course(PYTHON_TRACK)


@needs_track
def test_all_161_exercises_of_the_python_track_come_with_everything(python_course: CourseContent) -> None:
    assert len(python_course.lessons) == 161
    for lesson in python_course.lessons:
        assert lesson.type is LessonType.EXERCISE
        assert lesson.exercise is not None
        assert lesson.exercise.instructions
        assert {FileRole.STUB, FileRole.TEST, FileRole.EXEMPLAR} <= {file.role for file in lesson.exercise.files}


@needs_track
def test_every_exercise_of_the_python_track_comes_after_what_it_needs(python_course: CourseContent) -> None:
    taught_in: dict[str, int] = {}
    for number, level in enumerate(python_course.levels):
        for lesson in level.lessons:
            for taught in lesson.exercise.concepts if lesson.exercise else ():
                taught_in.setdefault(taught, number)
    for number, level in enumerate(python_course.levels):
        for lesson in level.lessons:
            for needed in lesson.exercise.prerequisites if lesson.exercise else ():
                assert taught_in.get(needed, 0) <= number


@needs_track
def test_the_python_track_begins_with_hello_world_and_warns_of_three_untaught_concepts(
    python_course: CourseContent,
) -> None:
    assert len(python_course.levels) == 20
    assert python_course.lessons[0].slug == "hello-world"
    assert [warning.cause.split(",")[0] for warning in python_course.warnings] == [
        "log-levels needs comprehensions",
        "log-levels needs sequences",
        "restaurant-rozalynn needs functions",
    ]
    assert [level.slug for level in python_course.levels[-2:]] == ["log-levels", "restaurant-rozalynn"]


@needs_track
def test_the_python_track_and_the_bundled_course_share_no_names(python_course: CourseContent) -> None:
    bundled = read_jiki_course(Path(str(files("jiki_learning"))) / "data" / "coding-fundamentals")
    assert not names(bundled) & names(python_course)


def names(course: CourseContent) -> set[tuple[str, str]]:
    rows: tuple[LevelContent | LessonContent | ConceptContent | ChallengeContent, ...] = (
        *course.levels,
        *course.lessons,
        *course.concepts,
        *course.challenges,
    )
    return {(type(row).__name__, name) for row in rows for name in (row.uuid, row.slug)}


@pytest.mark.parametrize(("status", "decides"), [({"test_runner": True}, True), ({"test_runner": False}, False)])
def test_a_track_says_itself_whether_a_test_runner_decides(track, status, decides):
    write(track / "config.json", {**CONFIG, "status": status})
    read = read_exercism_course(track)
    assert {lesson.exercise.tests_decide for lesson in read.lessons} == {decides}


def test_a_track_that_says_nothing_of_a_test_runner_leaves_it_to_the_client(track):
    assert not any(lesson.exercise.tests_decide for lesson in read_exercism_course(track).lessons)
