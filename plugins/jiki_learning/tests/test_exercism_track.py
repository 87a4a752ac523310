"""The whole Exercism track of Python: imported, learned from, changed, exported and imported again (issue E)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from jiki_core.db import reading, unit_of_work
from jiki_learning.commands.import_course import import_course, plan_course_import
from jiki_learning.content.exercism_format import read_exercism_course
from jiki_learning.content.jiki_format import read_jiki_course
from jiki_learning.content.jiki_writer import write_jiki_course
from jiki_learning.content.mistakes import ContentRefused
from jiki_learning.queries.stored_content import stored_course
from jiki_learning.testing import make_learner

BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[4] / "shared" / "data" / "exercism-python"
TRACK = Path(os.environ.get("JIKI_EXERCISM_TRACK", BESIDE_THE_REPOSITORY))

pytestmark = pytest.mark.skipif(
    not TRACK.is_dir(), reason="the track is too large for the repository; JIKI_EXERCISM_TRACK names a copy"
)


def bring_in(app, content):
    with app.app_context(), unit_of_work() as uow:
        return import_course(uow, content, default_course_slug="coding-fundamentals")


def scalar(app, statement):
    with app.app_context():
        return reading().execute(text(statement)).scalar_one()


def test_all_161_exercises_come_in_whole_and_twice_is_no_change(db):
    content = read_exercism_course(TRACK)
    bring_in(db, content)
    assert scalar(db, "select count(*) from learning.lessons") == 161
    assert scalar(db, "select count(*) from learning.exercises where instructions <> ''") == 161
    for role in ("stub", "test", "exemplar"):
        with_role = f"select count(distinct exercise_id) from learning.exercise_files where role = '{role}'"
        assert scalar(db, with_role) == 161, role
    assert scalar(db, "select count(*) from learning.concepts") > 0
    assert scalar(db, "select count(*) from learning.exercises where prerequisites <> '{}'") > 100
    with db.app_context():
        assert plan_course_import(content).is_empty
    assert bring_in(db, content).is_empty


def test_a_learner_gets_an_exercise_and_may_hand_it_in(db):
    bring_in(db, read_exercism_course(TRACK))
    learner = make_learner(db)
    learner.client.post("internal/user_courses/exercism-python/enroll").expect(200)
    exercise = learner.get("lessons/hello-world/exercise").expect(200).body["exercise"]
    assert exercise["title"] == "Hello World"
    assert {file["role"] for file in exercise["files"]} >= {"stub", "test"}
    learner.submit("hello-world", hello_world="print('Hello, World!')").expect(201)
    assert learner.unlocked("hello-world")


def test_a_changed_track_is_the_reported_difference(db, tmp_path):
    bring_in(db, read_exercism_course(TRACK))
    changed = tmp_path / "track"
    shutil.copytree(TRACK, changed)
    document = changed / "exercises" / "practice" / "bob" / ".docs" / "instructions.md"
    document.write_text(document.read_text(encoding="utf-8") + "\nBe kind.\n", encoding="utf-8")
    with db.app_context():
        plan = plan_course_import(read_exercism_course(changed))
    assert [(one.kind.value, one.name) for one in plan.updated] == [("lesson", "bob")]
    assert [change.name for change in plan.updated[0].changes] == ["exercise.instructions"]
    assert not plan.created
    assert not plan.moved


def test_a_corrupt_track_is_refused_with_file_and_line(db, tmp_path):
    broken = tmp_path / "track"
    shutil.copytree(TRACK, broken)
    config = json.loads((broken / "config.json").read_text(encoding="utf-8"))
    config["exercises"]["practice"][0]["uuid"] = "none"
    (broken / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    (broken / "exercises" / "practice" / "bob" / ".meta" / "config.json").unlink()
    with pytest.raises(ContentRefused) as refused:
        bring_in(db, read_exercism_course(broken))
    assert len(refused.value.mistakes) == 2
    assert all(mistake.file == "config.json" and mistake.line > 1 for mistake in refused.value.mistakes)
    assert scalar(db, "select count(*) from learning.courses") == 0


def test_the_track_exported_as_a_jiki_course_is_the_same_course(db, tmp_path):
    bring_in(db, read_exercism_course(TRACK))
    folder = tmp_path / "exercism-python"
    with db.app_context():
        write_jiki_course(stored_course("exercism-python"), folder)
    assert bring_in(db, read_jiki_course(folder)).is_empty
