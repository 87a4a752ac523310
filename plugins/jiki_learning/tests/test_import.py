"""The content loader and its counterpart, the export (contract.md 4.4, issue E)."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import text

from jiki_core.db import reading
from jiki_core.testing import count_queries
from jiki_learning.content.bundled import bundled_course_path
from jiki_learning.content.course import LevelTranslation
from jiki_learning.testing import course, import_into, import_levels, lesson, level, make_learner, uuid_of


@pytest.fixture
def flask(db):
    """`flask("learning", "import", …)`: runs a command on the test's database; returns (exit code, output)."""

    def run(*arguments: object) -> tuple[int, str]:
        result = db.test_cli_runner().invoke(args=[str(argument) for argument in arguments])
        return result.exit_code, result.output

    return run


@pytest.fixture
def folder(tmp_path):
    """A copy of the bundled course that a test may spoil."""
    copy = tmp_path / "coding-fundamentals"
    shutil.copytree(bundled_course_path(), copy)
    return copy


def edit(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def slugs(app, table):
    with app.app_context():
        return list(reading().scalars(text(f"select slug from learning.{table} order by id")))


def test_the_bundled_course_is_what_is_imported_without_a_path(flask, db):
    code, output = flask("learning", "import")
    assert code == 0, output
    assert output.startswith("coding-fundamentals: new course")
    assert slugs(db, "levels") == ["using-functions", "repeating-and-remembering", "making-decisions"]


@pytest.mark.parametrize("path", [None, "bundled"])
def test_importing_twice_changes_nothing(flask, count_rows, path):
    arguments = ["learning", "import", *([path] if path else [])]
    flask(*arguments)
    with_rows = {
        table: count_rows(table) for table in ("lessons", "exercise_files", "unlock_edges", "level_translations")
    }
    code, output = flask(*arguments)
    assert (code, output.strip()) == (0, "coding-fundamentals: no changes")
    assert {table: count_rows(table) for table in with_rows} == with_rows


def test_a_dry_run_tells_and_writes_nothing(flask, folder, count_rows):
    code, output = flask("learning", "import", folder, "--dry-run")
    assert code == 0
    assert "+ lesson maze-solve-basic (using-functions 2)" in output
    assert count_rows("courses") == count_rows("badges") == 0


def test_a_changed_course_is_told_and_written(flask, folder, db):
    flask("learning", "import", folder)
    (folder / "exercises" / "maze-solve-basic" / "hints.md").write_text("Turn left.\n", encoding="utf-8")

    def rename_and_swap(content):
        content["levels"][0]["lessons"][2]["slug"] = "renamed"
        content["levels"].reverse()

    edit(folder / "curriculum.json", rename_and_swap)
    code, output = flask("learning", "import", folder)
    assert code == 0, output
    assert "~ lesson maze-solve-basic" in output
    assert "> level using-functions" in output or "> level making-decisions" in output
    assert flask("learning", "import", folder)[1].strip() == "coding-fundamentals: no changes"
    with db.app_context():
        positions = reading().execute(text("select slug from learning.levels order by position")).scalars().all()
        hints = reading().execute(
            text(
                "select hints from learning.exercises e join learning.lessons l on l.id = e.lesson_id where slug = :s"
            ),
            {"s": "maze-solve-basic"},
        )
        assert hints.scalar_one() == "Turn left.\n"
    assert positions == ["making-decisions", "repeating-and-remembering", "using-functions"]


def test_what_a_course_drops_is_kept_and_reported(flask, folder, db):
    flask("learning", "import", folder)
    edit(folder / "curriculum.json", lambda content: content["levels"][0]["lessons"].pop())
    code, output = flask("learning", "import", folder)
    assert code == 0
    assert "? lesson maze-long-way-home" in output
    assert "maze-long-way-home" in slugs(db, "lessons")
    assert "? lesson maze-long-way-home" in flask("learning", "import", folder)[1]


def test_lessons_may_exchange_their_slugs(db):
    import_into(db, course(level("a", "one", "two")))
    one, two = lesson("one", uuid=uuid_of("two")), lesson("two", uuid=uuid_of("one"))
    import_into(db, course(level("a", two, one)))
    with db.app_context():
        rows = reading().execute(text("select uuid::text, slug from learning.lessons")).all()
    assert dict(rows) == {uuid_of("two"): "one", uuid_of("one"): "two"}


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("curriculum.json", '"type": "video"', '"type": "film"', "curriculum.json:"),
        ("curriculum.json", '"levels": [', '"levels": [[', "curriculum.json:"),
        ("concepts.json", '"draw-a-snowman"', '"draw-a-snowwoman"', "concepts.json:"),
        ("challenges.json", "dc3f02a1-088f-4dc7-90ef-5818c295e257", "no-uuid", "challenges.json:"),
    ],
)
def test_a_mistake_is_told_with_file_and_line_and_nothing_is_written(flask, folder, count_rows, file, old, new, place):
    path = folder / file
    spoiled = path.read_text(encoding="utf-8").replace(old, new, 1)
    path.write_text(spoiled, encoding="utf-8")
    code, output = flask("learning", "import", folder)
    assert code == 1
    line = int(output.partition(place)[2].partition(":")[0])
    assert 1 <= line <= spoiled.count("\n") + 1
    assert "nothing was imported" in output
    assert count_rows("courses") == 0


def test_a_missing_file_is_told_where_it_is_asked_for(flask, folder, count_rows):
    (folder / "exercises" / "maze-solve-basic" / "instructions.md").unlink()
    code, output = flask("learning", "import", folder)
    assert code == 1
    assert "exercises/maze-solve-basic/instructions.md is missing" in output
    assert count_rows("courses") == 0


def test_a_folder_that_is_not_there_is_told(flask, tmp_path):
    code, output = flask("learning", "import", tmp_path / "nowhere")
    assert code == 1
    assert "is not a folder" in output


def test_slugs_of_another_course_are_refused(flask, folder, db):
    import_into(db, course(level("mine", "maze-solve-basic"), slug="another-course"))
    code, output = flask("learning", "import", folder)
    assert code == 1
    assert "the lesson slug maze-solve-basic belongs to the course another-course" in output
    assert slugs(db, "courses") == ["another-course"]


def test_concepts_that_are_earned_already_are_unlocked_by_the_import(db):
    import_into(db, course(level("a", "a-1", "a-2")))
    learner = make_learner(db)
    learner.complete("a-1")
    assert learner.get("concepts/unlocked").body["unlocked_slugs"] == []
    import_into(db, course(level("a", "a-1", "a-2"), concepts={"loops": "a-1", "maps": "a-2"}))
    assert learner.get("concepts/unlocked").body["unlocked_slugs"] == ["loops"]


def test_an_export_is_read_again_without_a_change(flask, folder, tmp_path):
    flask("learning", "import", folder)
    written = tmp_path / "out" / "coding-fundamentals"
    code, output = flask("learning", "export", written)
    assert code == 0, output
    assert flask("learning", "import", written)[1].strip() == "coding-fundamentals: no changes"
    assert (written / "curriculum.json").read_text(encoding="utf-8").startswith('{\n  "levels": [')


def test_an_export_keeps_what_editors_made(db, flask, tmp_path):
    import_levels(db, (1,))
    content = course(
        level(
            "level-1", "lesson-1-1", lesson("free", is_optional=True), milestone_email_image_url="https://x.test/i.png"
        ),
        level("empty"),
        concepts={"loops": "lesson-1-1", "maps": None},
        challenges={"zoo": "free"},
        translations=(LevelTranslation(uuid_of("level level-1"), "hu", "Szép", "munka"),),
    )
    import_into(db, content)
    flask("learning", "export", tmp_path / "coding-fundamentals")
    code, output = flask("learning", "import", tmp_path / "coding-fundamentals")
    assert (code, output.strip()) == (0, "coding-fundamentals: no changes")


def test_an_export_never_mixes_with_other_files(db, flask, tmp_path):
    import_levels(db, (1,))
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, output = flask("learning", "export", tmp_path)
    assert code == 1
    assert "is not empty" in output
    assert flask("learning", "export", tmp_path / "x", "--course-slug", "nowhere")[0] == 1


def test_the_catalogue_is_loaded_by_the_same_statements_whatever_its_size(db):
    def cost():
        with db.app_context(), count_queries(db) as log:
            from jiki_learning.queries.catalogue import load_catalogue

            load_catalogue(reading())
        return len(log)

    import_levels(db, (1,))
    few = cost()
    content = import_levels(db, [10] * 20)
    import_into(db, replace(content, concepts=course(concepts={f"c-{n}": "lesson-1-1" for n in range(30)}).concepts))
    assert cost() == few
