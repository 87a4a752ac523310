"""Lessons: what they are made of, ratings and walkthroughs (contract.md 2.5 and 3.7)."""

from __future__ import annotations

import pytest

from jiki_core.testing import ApiClient
from jiki_learning.content.course import ExerciseContent, ExerciseFile, FileRole, LessonType
from jiki_learning.testing import VIDEO, course, import_into, lesson, level, make_learner

JAVASCRIPT = {**VIDEO, "id": "js", "language": "javascript"}
PYTHON = {**VIDEO, "id": "py", "language": "python"}
BOTH = {**VIDEO, "id": "both"}
FILES = (
    ExerciseFile("solution.js", FileRole.STUB, "// yours"),
    ExerciseFile("solution.test.js", FileRole.TEST, "test()"),
    ExerciseFile("exemplar.js", FileRole.EXEMPLAR, "answer()"),
)


def test_a_lesson_is_shown_whether_it_is_unlocked_or_not(learner):
    body = learner.get("lessons/lesson-3-1").expect(200).body
    assert body == {
        "lesson": {"slug": "lesson-3-1", "type": "exercise", "walkthrough_video_data": None, "data": {}},
        "meta": {"events": []},
    }
    learner.get("lessons/nowhere").expect(404, "lesson_not_found")


def test_a_stranger_sees_no_lesson(learner, db):
    ApiClient(db).get("internal/lessons/lesson-1-1").expect(401, "unauthenticated")


def test_videos_are_those_of_the_chosen_language_and_of_none(db):
    data = {"sources": [JAVASCRIPT, PYTHON, BOTH], "language_options": ["javascript", "python"]}
    import_into(db, course(level("a", lesson("choose", LessonType.CHOOSE_LANGUAGE, data=data))))
    learner = make_learner(db)
    assert learner.get("lessons/choose").body["lesson"]["data"] == data
    learner.client.patch("internal/user_courses/coding-fundamentals/language", {"language": "python"}).expect(200)
    chosen = learner.get("lessons/choose").body["lesson"]["data"]
    assert chosen == {"sources": [PYTHON, BOTH], "language_options": ["javascript", "python"]}


def test_a_quiz_keeps_its_data(db):
    import_into(db, course(level("a", lesson("quiz", LessonType.QUIZ, data={"questions": [1, 2]}))))
    assert make_learner(db).get("lessons/quiz").body["lesson"]["data"] == {"questions": [1, 2]}


def test_the_state_of_a_lesson_is_there_once_it_is_started(learner):
    learner.get("user_lessons/lesson-1-1").expect(404, "user_lesson_not_found")
    learner.get("user_lessons/nowhere").expect(404, "lesson_not_found")
    learner.start("lesson-1-1")
    body = learner.get("user_lessons/lesson-1-1").expect(200).body
    assert body["user_lesson"] == {
        "lesson_slug": "lesson-1-1",
        "status": "started",
        "difficulty_rating": None,
        "fun_rating": None,
        "walkthrough_video_watched_percentage": None,
        "conversation": [],
        "conversation_allowed": True,
        "data": {"last_submission": None, "exercise_state": "started"},
    }


def test_ratings_are_overwritten_each_time(learner):
    learner.start("lesson-1-1")
    path = "internal/user_lessons/lesson-1-1/rate"
    learner.client.patch(path, {"difficulty_rating": 4, "fun_rating": 5}).expect(200)
    learner.client.patch(path, {"fun_rating": 1}).expect(200)
    shown = learner.get("user_lessons/lesson-1-1").body["user_lesson"]
    assert (shown["difficulty_rating"], shown["fun_rating"]) == (None, 1)


@pytest.mark.parametrize("rating", [0, 6, -1, "3", 2.5, True])
def test_a_rating_outside_one_to_five_is_refused(learner, rating):
    learner.start("lesson-1-1")
    answer = learner.client.patch("internal/user_lessons/lesson-1-1/rate", {"fun_rating": rating})
    assert "fun_rating" in answer.expect(422, "validation_error").error["errors"]


@pytest.mark.parametrize(
    ("path", "body"), [("rate", {"fun_rating": 3}), ("walkthrough_video_percentage", {"percentage": 3})]
)
def test_a_lesson_that_is_not_started_cannot_be_rated_or_watched(learner, path, body):
    learner.client.patch(f"internal/user_lessons/lesson-1-1/{path}", body).expect(422, "user_lesson_not_found")
    learner.client.patch(f"internal/user_lessons/nowhere/{path}", body).expect(404, "lesson_not_found")


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([30], 30),
        ([30, 20], 30),
        ([-5], 0),
        ([250], 100),
        ([100, 0], 100),
        ([55.6], 55),
    ],
)
def test_the_watched_percentage_is_clamped_and_never_goes_down(learner, told, kept):
    learner.start("lesson-1-1")
    for percentage in told:
        path = "internal/user_lessons/lesson-1-1/walkthrough_video_percentage"
        learner.client.patch(path, {"percentage": percentage}).expect(200)
    shown = learner.get("user_lessons/lesson-1-1").body["user_lesson"]
    assert shown["walkthrough_video_watched_percentage"] == kept


def test_a_percentage_must_be_a_number(learner):
    learner.start("lesson-1-1")
    path = "internal/user_lessons/lesson-1-1/walkthrough_video_percentage"
    learner.client.patch(path, {}).expect(422, "validation_error")
    learner.client.patch(path, {"percentage": "30"}).expect(422, "validation_error")


@pytest.fixture
def with_material(db):
    exercise = ExerciseContent(title="Knock", instructions="# Knock\n\nTwice.", files=FILES, hints="Use your hand.")
    import_into(db, course(level("a", lesson("knock", exercise=exercise), "a-2")))
    return make_learner(db)


def test_an_exercises_material_is_shown_without_the_model_solution(with_material):
    body = with_material.get("lessons/knock/exercise").expect(200).body["exercise"]
    assert (body["title"], body["instructions"], body["hints"]) == ("Knock", "# Knock\n\nTwice.", "Use your hand.")
    assert [one["path"] for one in body["files"]] == ["solution.js", "solution.test.js"]


def test_the_model_solution_is_shown_after_completion(with_material):
    with_material.complete("knock")
    files = with_material.get("lessons/knock/exercise").body["exercise"]["files"]
    assert [one["role"] for one in files] == ["stub", "test", "exemplar"]


def test_an_exercise_goes_through_its_states(with_material):
    def state():
        return with_material.get("lessons/knock/exercise").body["exercise"]["state"]

    def hand_in(code, **outcome):
        files = [{"filename": "solution.js", "code": code}]
        path = "internal/lessons/knock/exercise_submissions"
        with_material.client.post(path, {"submission": {"files": files, **outcome}}).expect(201)

    seen = [state()]
    with_material.start("knock")
    seen.append(state())
    hand_in("one")
    seen.append(state())
    hand_in("one", passed=False)
    seen.append(state())
    hand_in("two", passed=True)
    seen.append(state())
    with_material.complete("knock")
    seen.append(state())
    assert seen == ["unlocked", "started", "submitted", "failed", "passed", "completed"]


def test_an_exercise_behind_others_is_locked(db):
    exercise = ExerciseContent(title="Knock", instructions="", files=FILES)
    import_into(db, course(level("a", "a-1", lesson("knock", exercise=exercise))))
    assert make_learner(db).get("lessons/knock/exercise").body["exercise"]["state"] == "locked"


def test_a_lesson_without_material_has_no_exercise(learner):
    learner.get("lessons/lesson-1-1/exercise").expect(404, "not_found")
    learner.get("lessons/nowhere/exercise").expect(404, "lesson_not_found")
