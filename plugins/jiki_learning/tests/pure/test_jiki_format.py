"""Reading the `jiki` format: a small course on disk, and one edit of it for each mistake an author can
make."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiki_learning.content.course import FileRole, LessonType
from jiki_learning.content.jiki_format import read_jiki_course
from jiki_learning.content.mistakes import ContentRefused

LEVEL = "11111111-1111-4111-8111-111111111111"
VIDEO = {"provider": "mux", "id": "x", "durationSeconds": 9, "uploadDate": "2026-03-01"}
LEVELS: dict[str, Any] = {
    "levels": [
        {
            "uuid": LEVEL,
            "slug": "functions",
            "milestone_email_subject": "Well done",
            "milestone_email_content_markdown": "You did it.",
            "lessons": [
                {
                    "uuid": "22222222-2222-4222-8222-222222222222",
                    "slug": "welcome",
                    "type": "video",
                    "data": {"sources": [VIDEO]},
                },
                {
                    "uuid": "33333333-3333-4333-8333-333333333333",
                    "slug": "maze",
                    "type": "exercise",
                    "optional": True,
                },
            ],
        }
    ]
}
CONCEPTS = [
    {
        "uuid": "44444444-4444-4444-8444-444444444444",
        "slug": "calls",
        "unlocked_by_lesson_slug": "maze",
    }
]
CHALLENGES = [
    {
        "uuid": "55555555-5555-4555-8555-555555555555",
        "slug": "garden",
        "exercise_slug": "garden-exercise",
        "unlocked_by_lesson_slug": None,
    }
]
TRANSLATION = [
    {
        "level_uuid": LEVEL,
        "milestone_email_subject": "Ügyes",
        "milestone_email_content_markdown": "Sikerült.",
    }
]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tmp_path / "small-course"
    write(root / "curriculum.json", LEVELS)
    write(root / "concepts.json", CONCEPTS)
    write(root / "challenges.json", CHALLENGES)
    write(root / "level_translations" / "hu.json", TRANSLATION)
    for slug in ("maze", "garden-exercise"):
        write(root / "exercises" / slug / "instructions.md", f"# The {slug}\n\nFind the way.\n")
        write(root / "exercises" / slug / "solution.js", "move();\n")
    write(root / "exercises" / "maze" / "solution.test.js", "test('it', () => {});\n")
    write(root / "exercises" / "maze" / "exemplar.js", "move();\nmove();\n")
    write(root / "exercises" / "maze" / "map.js", "// the map\n")
    write(root / "exercises" / "maze" / "hints.md", "- Look.\n")
    return root


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")


def mistakes(course: Path, **options: Any) -> list[str]:
    with pytest.raises(ContentRefused) as refusal:
        read_jiki_course(course, **options)
    return [f"{one.file}:{one.line}: {one.cause}" for one in refusal.value.mistakes]


def line_of(path: Path, text: str, nth: int = 1) -> int:
    lines = [number for number, line in enumerate(path.read_text().splitlines(), start=1) if text in line]
    return lines[nth - 1]


# What is read


def test_a_course_is_read_whole(course: Path) -> None:
    read = read_jiki_course(course)
    level = read.levels[0]
    assert (read.slug, level.slug, level.milestone_email_subject) == (
        "small-course",
        "functions",
        "Well done",
    )
    assert [(one.slug, one.type, one.is_optional) for one in level.lessons] == [
        ("welcome", LessonType.VIDEO, False),
        ("maze", LessonType.EXERCISE, True),
    ]
    assert level.lessons[0].data == {"sources": [VIDEO]}
    assert (read.concepts[0].slug, read.concepts[0].unlocked_by_lesson_slug) == ("calls", "maze")
    assert (read.challenges[0].exercise_slug, read.challenges[0].unlocked_by_lesson_slug) == (
        "garden-exercise",
        None,
    )
    assert (read.translations[0].locale, read.translations[0].milestone_email_subject) == ("hu", "Ügyes")
    assert read.warnings == ()


def test_an_exercise_brings_its_texts_and_files(course: Path) -> None:
    exercise = read_jiki_course(course).lessons[1].exercise
    assert exercise is not None
    assert exercise.title == "The maze"
    assert exercise.instructions.endswith("Find the way.\n")
    assert exercise.hints == "- Look.\n"
    assert [(file.path, file.role) for file in exercise.files] == [
        ("exemplar.js", FileRole.EXEMPLAR),
        ("map.js", FileRole.SUPPORT),
        ("solution.js", FileRole.STUB),
        ("solution.test.js", FileRole.TEST),
    ]


def test_rows_know_where_they_stand(course: Path) -> None:
    maze = read_jiki_course(course).lessons[1]
    assert str(maze.origin) == f"curriculum.json:{line_of(course / 'curriculum.json', 'maze')}"


def test_the_slug_of_the_course_may_be_given(course: Path) -> None:
    assert read_jiki_course(course, course_slug="other").slug == "other"


def test_everything_but_the_curriculum_may_be_absent(tmp_path: Path) -> None:
    write(tmp_path / "bare" / "curriculum.json", LEVELS)
    read = read_jiki_course(tmp_path / "bare")
    assert [lesson.exercise for lesson in read.lessons] == [None, None]
    assert (read.concepts, read.challenges, read.translations) == ((), (), ())


def test_unknown_keys_and_unused_exercises_are_warnings(course: Path) -> None:
    def misspell(curriculum: Any) -> None:
        curriculum["levels"][0]["lessons"][1]["optinal"] = True

    edit(course, "curriculum.json", misspell)
    write(course / "exercises" / "forgotten" / "instructions.md", "# Forgotten\n")
    assert [str(warning) for warning in read_jiki_course(course).warnings] == [
        f"curriculum.json:{line_of(course / 'curriculum.json', 'optinal')}: "
        "unknown key 'optinal', did you mean optional?; it was ignored",
        "exercises/forgotten:1: no lesson or challenge uses this exercise; it was ignored",
    ]


# What is refused: an edit of one file, and the line of what is wrong


def edit(course: Path, file: str, change: Callable[[Any], Any]) -> None:
    content = json.loads((course / file).read_text())
    change(content)
    write(course / file, content)


def lesson(number: int, **changes: Any) -> Callable[[Any], Any]:
    return lambda curriculum: curriculum["levels"][0]["lessons"][number].update(changes)


def without(key: str) -> Callable[[Any], Any]:
    return lambda curriculum: curriculum["levels"][0]["lessons"][0].pop(key)


def row(**changes: Any) -> Callable[[Any], Any]:
    return lambda rows: rows[0].update(changes)


def unlocked_by(slug: str) -> Callable[[Any], Any]:
    return row(unlocked_by_lesson_slug=slug)


CURRICULUM = "curriculum.json"
SUBJECT = "milestone_email_subject"
NO_LESSON = "the unlocking lesson no does not exist"
HU = "level_translations/hu.json"
SAME = "22222222-2222-4222-8222-222222222222"


@pytest.mark.parametrize(
    ("change", "text", "cause"),
    [
        (lesson(0, slug="Wel come"),   "Wel come",         "slug 'Wel come' is not a slug"),
        (lesson(0, slug="../welcome"), "../welcome",       "slug '../welcome' is not a slug"),
        (lesson(0, slug="w" * 101),    "wwwww",            f"slug '{'w' * 101}' is not a slug"),
        (lesson(0, slug=""),           '"slug": ""',       "slug is blank"),
        (lesson(0, slug=7),            '"slug": 7',        "slug is not a text"),
        (lesson(0, uuid="123"),        '"123"',            "uuid '123' is not a UUID"),
        (lesson(0, type="poem"),       "poem",             "unknown lesson type 'poem'"),
        (lesson(1, optional="yes"),    '"yes"',            "optional is not true or false"),
        (lesson(0, data={}),           '"data": {}',       "welcome: a video lesson needs sources"),
        (lesson(1, data=[1]),          '"data": [',        "maze: data is not an object"),
        (lesson(1, slug="elsewhere"),  "elsewhere",        "exercises/elsewhere/instructions.md is missing"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_curriculum_is_shown_where_it_stands(
    course: Path, change: Callable[[Any], Any], text: str, cause: str
) -> None:
    edit(course, CURRICULUM, change)
    assert f"curriculum.json:{line_of(course / CURRICULUM, text)}: {cause}" in mistakes(course)


@pytest.mark.parametrize(
    ("file", "change", "key", "cause"),
    [
        ("concepts.json",   unlocked_by("no"),        "unlocked",    NO_LESSON),
        ("challenges.json", unlocked_by("no"),        "unlocked",    NO_LESSON),
        ("challenges.json", row(exercise_slug="no"),  "exercise",    "exercises/no/instructions.md is missing"),
        (HU,                row(level_uuid=SAME),     "level_uuid",  f"no level has the uuid {SAME}"),
        (HU,                row(**{SUBJECT: " "}),    SUBJECT,       f"{SUBJECT} is blank"),
    ],
)  # fmt: skip
def test_a_mistake_beside_the_curriculum_is_shown_where_it_stands(
    course: Path, file: str, change: Callable[[Any], Any], key: str, cause: str
) -> None:
    edit(course, file, change)
    assert f"{file}:{line_of(course / file, key)}: {cause}" in mistakes(course)


def test_what_is_missing_is_missed_where_its_object_begins(course: Path) -> None:
    edit(course, CURRICULUM, without("uuid"))
    line = line_of(course / CURRICULUM, '"slug": "welcome"') - 1
    assert mistakes(course) == [f"curriculum.json:{line}: uuid is missing"]


def test_a_slug_used_twice_is_shown_with_its_first_use(course: Path) -> None:
    edit(course, CURRICULUM, lesson(1, slug="welcome"))
    write(course / "exercises" / "welcome" / "instructions.md", "# Welcome\n")
    write(course / "exercises" / "welcome" / "solution.js", "\n")
    first = line_of(course / CURRICULUM, "welcome")
    second = line_of(course / CURRICULUM, "welcome", 2)
    assert f"curriculum.json:{second}: the lesson slug welcome is used already, at curriculum.json:{first}" in mistakes(
        course
    )


def test_a_uuid_used_twice_is_shown(course: Path) -> None:
    edit(course, CURRICULUM, lesson(1, uuid=SAME.upper()))
    line = line_of(course / CURRICULUM, SAME)
    assert [one.split(": ", 1)[1] for one in mistakes(course)] == [
        f"the lesson uuid {SAME} is used already, at curriculum.json:{line}"
    ]


def test_one_lesson_unlocks_one_challenge(course: Path) -> None:
    second = {**CHALLENGES[0], "uuid": SAME, "slug": "second", "unlocked_by_lesson_slug": "maze"}
    write(course / "challenges.json", [{**CHALLENGES[0], "unlocked_by_lesson_slug": "maze"}, second])
    assert [one.split(": ", 1)[1].split(" is used")[0] for one in mistakes(course)] == [
        "the challenge unlocked_by_lesson_slug maze"
    ]


def test_an_exercise_without_a_file_for_the_learner_is_refused(course: Path) -> None:
    (course / "exercises" / "maze" / "solution.js").unlink()
    line = line_of(course / CURRICULUM, '"maze"')
    assert mistakes(course) == [f"curriculum.json:{line}: exercises/maze has no file for the learner"]


def test_text_that_is_not_utf_8_is_refused(course: Path) -> None:
    (course / "exercises" / "maze" / "map.js").write_bytes(b"\xff\xfe")
    assert mistakes(course)[0].endswith("exercises/maze/map.js cannot be read (not UTF-8)")


def test_nothing_outside_the_course_is_read(course: Path) -> None:
    (course.parent / "secret.md").write_text("secret")
    target = course / "exercises" / "maze" / "hints.md"
    target.unlink()
    target.symlink_to(course.parent / "secret.md")
    exercise = read_jiki_course(course).lessons[1].exercise
    assert exercise is not None
    assert exercise.hints == ""


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("en.json", "English is the original, not a translation"),
        ("Magyar.json", "level_translations/Magyar.json is not named for a locale"),
        ("hu.txt", "level_translations/hu.txt is not named for a locale"),
        ("fr.json", "unknown locale fr"),
    ],
)
def test_a_translation_is_named_for_its_locale(course: Path, name: str, cause: str) -> None:
    write(course / "level_translations" / name, [])
    assert f"level_translations/{name}:1: {cause}" in mistakes(course, known_locales={"hu"})


@pytest.mark.parametrize(
    ("file", "content", "mistake"),
    [
        (
            "curriculum.json",
            '{\n"levels": oops}',
            "curriculum.json:2: not valid JSON: Expecting value (column 11)",
        ),
        ("curriculum.json", "[]", "curriculum.json:1: the file does not hold an object"),
        ("curriculum.json", "{}", "curriculum.json:1: levels is missing"),
        ("curriculum.json", '{"levels": [\n7]}', "curriculum.json:2: an object was expected here"),
        ("curriculum.json", '{"levels": 7}', "curriculum.json:1: levels is not a list"),
        ("concepts.json", "{}", "concepts.json:1: the file does not hold a list"),
    ],
)
def test_a_file_of_another_shape_is_refused(course: Path, file: str, content: str, mistake: str) -> None:
    write(course / file, content)
    assert mistake in mistakes(course)


def test_a_course_without_lessons_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "bare" / "curriculum.json", {"levels": []})
    assert mistakes(tmp_path / "bare") == ["curriculum.json:1: the course has no lessons"]


def test_a_course_needs_a_slug_of_its_own(course: Path) -> None:
    assert mistakes(course, course_slug="My Course") == ["curriculum.json:1: 'My Course' is no slug for a course"]


def test_a_folder_without_a_curriculum_is_refused_with_one_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "nowhere") == ["curriculum.json:1: curriculum.json is missing"]


def test_all_mistakes_are_told_at_once_with_their_remedies(course: Path) -> None:
    edit(course, CURRICULUM, lesson(0, type="poem"))
    edit(course, "concepts.json", unlocked_by("no"))
    with pytest.raises(ContentRefused) as refusal:
        read_jiki_course(course)
    assert str(refusal.value).splitlines() == [
        "small-course: 2 mistakes, nothing was imported",
        f"  concepts.json:5: {NO_LESSON}; name a lesson of curriculum.json, or null",
        "  curriculum.json:12: unknown lesson type 'poem'; use one of exercise, video, choose_language, quiz",
    ]


def test_an_exercise_may_let_its_tests_decide(course):
    write(course / "exercises" / "maze" / "exercise.json", {"tests_decide": True})
    read = read_jiki_course(course)
    decides = {lesson.slug: lesson.exercise.tests_decide for lesson in read.lessons if lesson.exercise is not None}
    assert [slug for slug, one in decides.items() if one] == ["maze"]


def test_whether_tests_decide_is_true_or_false(course):
    write(course / "exercises" / "maze" / "exercise.json", {"tests_decide": "yes"})
    assert mistakes(course) == ["exercises/maze/exercise.json:2: tests_decide is not true or false"]
