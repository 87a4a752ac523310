"""Learning's answer to `CourseMaterial`: what a course folder holds to be run, or why it cannot be read."""

from __future__ import annotations

import json

from jiki_learning.course_material import CoursesOnDisk


def test_the_bundled_course_has_stubs_tests_and_model_solutions():
    reading = CoursesOnDisk().read("bundled")
    assert reading.mistakes == ()
    assert {one.language for one in reading.exercises} == {"javascript"}
    assert all(one.stub and one.tests and one.reference for one in reading.exercises)
    maze = next(one for one in reading.exercises if one.slug == "maze-solve-basic")
    assert set(maze.support) == {"maze.js"}
    assert set(maze.reference) == set(maze.stub) == {"solution.js"}


def test_a_folder_without_a_course_is_told_with_a_remedy(tmp_path):
    mistakes = CoursesOnDisk().read(str(tmp_path)).mistakes
    assert len(mistakes) == 1
    assert "curriculum.json" in mistakes[0]


def test_every_mistake_of_a_course_is_told_with_its_place(tmp_path):
    (tmp_path / "curriculum.json").write_text(json.dumps({"levels": [{"slug": "A level", "uuid": "?"}]}))
    reading = CoursesOnDisk().read(str(tmp_path))
    assert reading.exercises == ()
    assert len(reading.mistakes) >= 2
    assert all(one.startswith("curriculum.json:1: ") for one in reading.mistakes)
