"""Courses and enrolments (contract.md 2.5 and 3.7)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from jiki_auth.events import SiteVisited
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.testing import ApiClient, drain_outbox
from jiki_learning.testing import course, import_into, import_levels, level, make_learner, warm_cost

OTHER = "another-course"


def test_courses_are_listed_for_everybody_in_their_order(db):
    import_levels(db, (1,))
    import_into(db, course(level("b", "b-1"), slug=OTHER))
    body = ApiClient(db).get("internal/courses").expect(200).body
    assert body == {"courses": [{"slug": "coding-fundamentals"}, {"slug": OTHER}], "meta": {"events": []}}
    assert ApiClient(db).get(f"internal/courses/{OTHER}").expect(200).body["course"] == {"slug": OTHER}


def test_an_unknown_course_is_not_found(db):
    ApiClient(db).get("internal/courses/nowhere").expect(404, "course_not_found")


def test_a_new_account_is_enrolled_in_the_default_course(learner):
    body = learner.get("user_courses").expect(200).body
    assert body["user_courses"] == [
        {
            "course_slug": "coding-fundamentals",
            "language": None,
            "language_chosen": False,
            "current_level_slug": "level-1",
            "completed": False,
        }
    ]


def test_sign_up_tells_no_events_although_it_enrols(db, client):
    import_levels(db, (1,))
    user = {"email": "new@example.test", "password": "maple sundial 41"}
    assert client.post("auth/signup", {"user": user}).expect(201).body["meta"] == {"events": []}


def test_an_account_made_before_the_default_course_is_enrolled_by_its_import(db):
    early = make_learner(db)
    assert early.get("user_courses").expect(200).body["user_courses"] == []
    import_levels(db, (2,))
    assert early.user_levels() == {"level-1": ("started", {"lesson-1-1": "not_started"})}


def test_an_account_made_while_learning_was_off_is_enrolled_on_its_next_visit(db):
    import_levels(db, (2,))
    learner = make_learner(db)
    drain_outbox(db)
    for table in ("user_levels", "user_courses"):
        with db.app_context(), unit_of_work() as uow:
            uow.session.execute(text(f"delete from learning.{table}"))
    assert learner.user_levels() == {}
    with db.app_context(), unit_of_work() as uow:
        uow.emit(SiteVisited(learner.id, "2026-11-22"))
    drain_outbox(db)
    assert learner.user_levels() == {"level-1": ("started", {"lesson-1-1": "not_started"})}


def test_enrolling_opens_the_first_lesson_once(db):
    import_into(db, course(level("b", "b-1", "b-2"), slug=OTHER))
    learner = make_learner(db)
    learner.get(f"user_courses/{OTHER}").expect(404, "not_found")
    first = learner.client.post(f"internal/user_courses/{OTHER}/enroll").expect(200).body
    assert first["user_course"]["current_level_slug"] == "b"
    assert first["meta"]["events"] == [{"type": "lesson_unlocked", "data": {"lesson_slug": "b-1"}}]
    again = learner.client.post(f"internal/user_courses/{OTHER}/enroll").expect(200).body
    assert again["meta"]["events"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "internal/user_courses/nowhere"),
        ("POST", "internal/user_courses/nowhere/enroll"),
        ("PATCH", "internal/user_courses/nowhere/language"),
    ],
)
def test_enrolments_of_an_unknown_course_are_not_found(learner, method, path):
    learner.client.call(method, path).expect(404, "course_not_found")


def test_the_language_is_chosen_once(learner):
    path = "internal/user_courses/coding-fundamentals/language"
    for nothing_we_teach in ({"language": "ruby"}, {"language": 7}, {"language": ["python"]}, {}):
        learner.client.patch(path, nothing_we_teach).expect(422, "invalid_language")
    chosen = learner.client.patch(path, {"language": "javascript"}).expect(200).body["user_course"]
    assert (chosen["language"], chosen["language_chosen"]) == ("javascript", True)
    learner.client.patch(path, {"language": "python"}).expect(422, "language_already_chosen")


def test_the_language_of_a_course_one_is_not_enrolled_in_is_not_found(db):
    import_into(db, course(level("b", "b-1"), slug=OTHER))
    learner = make_learner(db)
    learner.client.patch(f"internal/user_courses/{OTHER}/language", {"language": "python"}).expect(404, "not_found")


def test_completing_every_level_completes_the_course(db):
    import_levels(db, (1, 1))
    learner = make_learner(db)
    learner.complete("lesson-1-1").expect(200)
    assert learner.get("user_courses/coding-fundamentals").body["user_course"]["completed"] is False
    learner.complete("lesson-2-1").expect(200)
    shown = learner.get("user_courses/coding-fundamentals").body["user_course"]
    assert (shown["completed"], shown["current_level_slug"]) == (True, "level-2")


def test_one_or_many_enrolments_cost_one_query(db):
    import_levels(db, (1,))
    learner = make_learner(db)
    few = warm_cost(db, learner, "user_courses")
    for number in range(10):
        import_into(db, course(level(f"x-{number}", f"y-{number}"), slug=f"course-{number}"))
        learner.client.post(f"internal/user_courses/course-{number}/enroll").expect(200)
    assert warm_cost(db, learner, "user_courses") == few == 1
    shown = learner.get("user_courses").body["user_courses"]
    assert [row["current_level_slug"] for row in shown] == ["level-1", *(f"x-{number}" for number in range(10))]


def test_a_stranger_is_told_to_sign_in(db):
    answer = ApiClient(db).get("internal/user_courses").expect(401, "unauthenticated")
    assert "meta" not in answer.body


def test_an_administrator_may_learn_too(db):
    import_levels(db, (1,))
    admin = signed_in(db, make_user(db, is_admin=True))
    admin.get("internal/user_levels?course_slug=coding-fundamentals").expect(200)
    drain_outbox(db)
