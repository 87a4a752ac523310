"""What an import would do (contract.md 4.4), on a course of two levels and a few edits of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    ContentWarning,
    CourseContent,
    ExerciseContent,
    ExerciseFile,
    FileRole,
    LessonContent,
    LessonType,
    LevelContent,
    LevelTranslation,
    Origin,
)
from jiki_learning.content.import_plan import CatalogueSnapshot, ImportPlan, Kind, plan_import
from jiki_learning.content.import_report import render_plan
from jiki_learning.content.mistakes import ContentRefused


def lesson(slug: str, *, uuid: str = "", instructions: str = "Go.\n", is_optional: bool = False) -> LessonContent:
    files = (ExerciseFile("solution.js", FileRole.STUB, "go();\n"),)
    return LessonContent(
        uuid=uuid or f"uuid-of-{slug}",
        slug=slug,
        type=LessonType.EXERCISE,
        is_optional=is_optional,
        exercise=ExerciseContent(title=slug.title(), instructions=instructions, files=files),
        origin=Origin("curriculum.json", 7),
    )


def level(slug: str, *lessons: LessonContent, uuid: str = "") -> LevelContent:
    return LevelContent(uuid or f"uuid-of-{slug}", slug, lessons, origin=Origin("curriculum.json", 3))


MAZE, SNOWMAN, FENCE, GOLF = lesson("maze"), lesson("snowman"), lesson("fence"), lesson("golf")
COURSE = CourseContent(
    slug="coding",
    levels=(level("functions", MAZE, SNOWMAN), level("loops", FENCE, GOLF)),
    translations=(LevelTranslation("uuid-of-functions", "hu", "Ügyes", "Sikerült."),),
    concepts=(ConceptContent("uuid-of-calls", "calls", unlocked_by_lesson_slug="maze"),),
    challenges=(ChallengeContent("uuid-of-garden", "garden", "garden", unlocked_by_lesson_slug="golf"),),
)


def plan(stored: CourseContent | None, wanted: CourseContent) -> ImportPlan:
    return plan_import(CatalogueSnapshot(stored), wanted)


def report(stored: CourseContent | None, wanted: CourseContent) -> list[str]:
    return render_plan(plan(stored, wanted)).splitlines()


def with_levels(*levels: LevelContent) -> CourseContent:
    return replace(COURSE, levels=levels)


# What is planned


def test_a_new_course_is_created_whole() -> None:
    assert report(None, COURSE) == [
        "coding: new course, 9 to create",
        "+ level functions",
        "+ level loops",
        "+ lesson maze (functions 1)",
        "+ lesson snowman (functions 2)",
        "+ lesson fence (loops 1)",
        "+ lesson golf (loops 2)",
        "+ translation functions hu",
        "+ concept calls",
        "+ challenge garden",
    ]


def test_importing_twice_changes_nothing() -> None:
    assert plan(COURSE, COURSE).is_empty
    assert report(COURSE, COURSE) == ["coding: no changes"]


def test_an_edited_text_is_shown_as_a_difference() -> None:
    edited = replace(
        COURSE,
        levels=(level("functions", lesson("maze", instructions="Go.\nRun.\n"), SNOWMAN), COURSE.levels[1]),
    )
    assert report(COURSE, edited) == [
        "coding: 1 to update",
        "~ lesson maze",
        "    exercise.instructions:",
        "      @@ -1 +1,2 @@",
        "       Go.",
        "      +Run.",
    ]


def test_a_short_field_is_shown_before_and_after() -> None:
    edited = with_levels(level("functions", lesson("maze", is_optional=True), SNOWMAN), COURSE.levels[1])
    assert report(COURSE, edited) == ["coding: 1 to update", "~ lesson maze", "    is_optional: false → true"]


def test_a_file_that_comes_or_goes_is_a_change_of_its_lesson() -> None:
    assert MAZE.exercise is not None
    test_file = ExerciseFile("solution.test.js", FileRole.TEST, "test\n")
    exercise = replace(MAZE.exercise, files=(*MAZE.exercise.files, test_file))
    tested = with_levels(level("functions", replace(MAZE, exercise=exercise), SNOWMAN), COURSE.levels[1])
    [update] = plan(COURSE, tested).updated
    assert [(change.name, change.before, change.after) for change in update.changes] == [
        ("exercise.files.solution.test.js", None, "test\n"),
        ("exercise.files.solution.test.js (role)", None, FileRole.TEST),
    ]


def test_a_long_difference_is_cut() -> None:
    story = "".join(f"line {number}\n" for number in range(60))
    edited = with_levels(level("functions", lesson("maze", instructions=story), SNOWMAN), COURSE.levels[1])
    assert report(COURSE, edited)[-1] == "      … 42 more lines"


def test_only_different_line_ends_are_named_as_such() -> None:
    edited = with_levels(level("functions", lesson("maze", instructions="Go.\r\n"), SNOWMAN), COURSE.levels[1])
    assert report(COURSE, edited)[-1] == "      (only the ends of lines differ)"


def test_a_lesson_moves_between_levels_and_keeps_its_row() -> None:
    moved = with_levels(level("functions", MAZE), level("loops", FENCE, SNOWMAN, GOLF))
    assert report(COURSE, moved) == ["coding: 1 to move", "> lesson snowman: functions 2 → loops 2"]


def test_levels_and_lessons_change_places() -> None:
    turned = with_levels(level("loops", GOLF, FENCE), level("functions", MAZE, SNOWMAN))
    assert report(COURSE, turned) == [
        "coding: 2 to move",
        "> level loops: 2 → 1",
        "> lesson golf: loops 2 → loops 1",
    ]


def test_what_the_course_no_longer_names_is_an_orphan_and_nothing_to_write() -> None:
    shorter = replace(COURSE, levels=(level("functions", MAZE, SNOWMAN), level("loops", FENCE)), concepts=())
    shorter = replace(shorter, challenges=(replace(COURSE.challenges[0], unlocked_by_lesson_slug="golf"),))
    found = plan(COURSE, shorter)
    assert found.is_empty
    assert [(orphan.kind, orphan.name) for orphan in found.orphans] == [
        (Kind.LESSON, "golf"),
        (Kind.CONCEPT, "calls"),
    ]
    assert render_plan(found).splitlines()[0] == "coding: no changes, 2 orphaned and kept"


def test_an_orphan_goes_behind_the_others_once() -> None:
    without_maze = with_levels(level("functions", SNOWMAN), COURSE.levels[1])
    assert [(one.name, one.after.position) for one in plan(COURSE, without_maze).moved] == [("snowman", 1)]
    settled = with_levels(level("functions", SNOWMAN, MAZE), COURSE.levels[1])
    assert plan(settled, without_maze).is_empty


def test_a_renamed_row_is_found_by_its_uuid_and_what_names_it_is_unchanged() -> None:
    renamed = replace(
        COURSE,
        levels=(level("functions", lesson("labyrinth", uuid="uuid-of-maze"), SNOWMAN), COURSE.levels[1]),
        concepts=(ConceptContent("uuid-of-calls", "calls", unlocked_by_lesson_slug="labyrinth"),),
    )
    [update] = plan(COURSE, renamed).updated
    assert update.stored == MAZE
    assert [change.name for change in update.changes] == ["slug", "exercise.title"]


def test_a_row_with_another_uuid_is_found_by_its_slug() -> None:
    other = with_levels(level("functions", lesson("maze", uuid="new-uuid"), SNOWMAN), COURSE.levels[1])
    [update] = plan(COURSE, other).updated
    assert [(change.name, change.after) for change in update.changes] == [("uuid", "new-uuid")]


def test_a_translation_follows_its_level_to_a_new_uuid() -> None:
    renumbered = replace(
        COURSE,
        levels=(level("functions", MAZE, SNOWMAN, uuid="new-uuid"), COURSE.levels[1]),
        translations=(replace(COURSE.translations[0], level_uuid="new-uuid"),),
    )
    assert [(one.kind, one.name) for one in plan(COURSE, renumbered).updated] == [(Kind.LEVEL, "functions")]


def test_slugs_may_be_swapped() -> None:
    swapped = with_levels(
        level("functions", lesson("snowman", uuid="uuid-of-maze"), lesson("maze", uuid="uuid-of-snowman")),
        COURSE.levels[1],
    )
    found = plan(COURSE, swapped)
    assert not found.created
    assert [update.name for update in found.updated if update.kind is Kind.LESSON] == ["snowman", "maze"]


def test_warnings_of_the_reader_close_the_report() -> None:
    odd = replace(COURSE, warnings=(ContentWarning(Origin("config.json", 9), "odd", "it was ignored"),))
    assert report(odd, odd) == ["coding: no changes", "! config.json:9: odd; it was ignored"]


# What is refused


@pytest.mark.parametrize(
    ("taken", "cause"),
    [
        ((Kind.LESSON, "maze"), "curriculum.json:7: the lesson slug maze belongs to the course python"),
        (
            (Kind.LEVEL, "uuid-of-loops"),
            "curriculum.json:3: the level uuid uuid-of-loops belongs to the course python",
        ),
        ((Kind.CONCEPT, "calls"), "calls:1: the concept slug calls belongs to the course python"),
        ((Kind.CHALLENGE, "garden"), "garden:1: the challenge slug garden belongs to the course python"),
    ],
)
def test_a_name_another_course_uses_is_refused_where_it_stands(taken: tuple[Kind, str], cause: str) -> None:
    with pytest.raises(ContentRefused) as refusal:
        plan_import(CatalogueSnapshot(None, taken={taken: "python"}), COURSE)
    assert [str(mistake).split(";")[0] for mistake in refusal.value.mistakes] == [cause]


def test_a_name_of_another_kind_is_free() -> None:
    assert plan_import(CatalogueSnapshot(None, taken={(Kind.CONCEPT, "maze"): "python"}), COURSE).created


def test_a_slug_that_an_orphan_still_holds_is_refused() -> None:
    grabbed = with_levels(level("functions", lesson("snowman", uuid="uuid-of-maze")), COURSE.levels[1])
    with pytest.raises(ContentRefused, match="the lesson slug snowman belongs to a stored lesson with another uuid"):
        plan(COURSE, grabbed)
