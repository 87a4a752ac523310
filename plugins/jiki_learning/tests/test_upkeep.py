"""`flask learning doctor|move-lesson|append-lesson|reset-progress`, the sweep of texts, exercise analytics."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from jiki_auth.events import AccountDeleting
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.testing import drain_outbox
from jiki_learning.jobs import sweep_texts
from jiki_learning.testing import course, import_into, import_levels, level, make_learner


@pytest.fixture
def flask(db):
    def run(*arguments: object) -> tuple[int, str]:
        result = db.test_cli_runner().invoke(args=["learning", *(str(argument) for argument in arguments)])
        return result.exit_code, result.output

    return run


def change(app, statement, **values):
    with app.app_context(), unit_of_work() as uow:
        uow.session.execute(text(statement), values)


def test_a_healthy_school_is_well(db, learner, flask):
    learner.complete("lesson-1-1")
    drain_outbox(db)
    assert flask("doctor") == (0, "all is well\n")


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        ("delete from learning.badges where slug = 'townsfolk'", "badges have no row"),
        ("update learning.badges set num_awardees = 99 where slug = 'member'", "badges count their owners wrongly"),
        ("delete from learning.unlock_edges where next_lesson_id is not null", "edges between lessons"),
        ("delete from learning.user_concepts", "concepts were earned and are still locked"),
        ("delete from learning.user_courses", "without being enrolled"),
        ("delete from learning.user_levels", "levels to open or to complete"),
        ("update learning.user_levels set completed_at = null", "levels to open or to complete"),
        ("insert into learning.file_texts (digest, content) values (repeat('0', 64), 'x')", "belong to no submission"),
    ],
)
def test_the_doctor_finds_and_heals(db, flask, harm, complaint):
    import_into(db, course(level("a", "a-1"), level("b", "b-1", "b-2"), concepts={"loops": "a-1"}))
    learner = make_learner(db)
    learner.complete("a-1")
    learner.submit("b-1").expect(201)
    drain_outbox(db)
    assert flask("doctor")[0] == 0
    before = learner.user_levels()
    change(db, harm)
    code, output = flask("doctor")
    assert code == 1
    assert complaint in output
    assert "remedy" in output
    code, output = flask("doctor", "--fix")
    assert code == 0
    assert "healed" in output
    assert flask("doctor") == (0, "all is well\n")
    assert learner.user_levels() == before


def test_a_lesson_is_moved_and_levels_reopen_only_when_asked(db, flask):
    import_levels(db, (2, 1, 1))
    learner = make_learner(db)
    for slug in ("lesson-1-1", "lesson-1-2", "lesson-2-1"):
        learner.complete(slug).expect(200)
    assert flask("move-lesson", "lesson-3-1", "level-2")[0] == 0
    assert learner.user_levels()["level-2"][0] == "completed"
    assert flask("move-lesson", "lesson-3-1", "level-1", "--position", "1", "--reopen")[0] == 0
    assert learner.user_levels()["level-1"] == (
        "started",
        {"lesson-3-1": "not_started", "lesson-1-1": "completed", "lesson-1-2": "completed"},
    )
    learner.complete("lesson-3-1").expect(200)
    assert learner.user_levels()["level-1"][0] == "completed"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("move-lesson", "nowhere", "level-1"), "lesson not found"),
        (("move-lesson", "lesson-1-1", "nowhere"), "level not found"),
        (("append-lesson", "nowhere", "x"), "level not found"),
        (("append-lesson", "level-1", "Not A Slug"), "slug: invalid"),
        (("append-lesson", "level-1", "lesson-2-1"), "slug: taken"),
        (("append-lesson", "level-1", "x", "--type", "video"), "data: invalid"),
        (("append-lesson", "level-1", "x", "--data", "{"), "is not JSON"),
        (("reset-progress", "nobody@example.test", "--yes"), "there is no account"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(db, flask, arguments, told):
    import_levels(db, (1, 1))
    code, output = flask(*arguments)
    assert code != 0
    assert told in output


def test_a_lesson_is_appended_and_opens_for_those_who_are_through_when_asked(db, flask):
    import_levels(db, (1, 1))
    learner = make_learner(db)
    learner.complete("lesson-1-1")
    assert flask("append-lesson", "level-1", "more")[0] == 0
    assert learner.user_levels()["level-1"] == ("completed", {"lesson-1-1": "completed"})
    assert flask("append-lesson", "level-1", "even-more", "--reopen")[0] == 0
    assert learner.user_levels()["level-1"] == ("started", {"lesson-1-1": "completed", "more": "not_started"})


def test_progress_is_reset_by_address_or_handle(db, flask, count_rows):
    import_into(db, course(level("a", "a-1", "a-2"), concepts={"loops": "a-1"}))
    learner, other = make_learner(db), make_learner(db)
    for name in (learner.user.email, learner.user.handle):
        for somebody in (learner, other):
            somebody.complete("a-1")
            somebody.submit("a-2")
        code, output = flask("reset-progress", name, "--yes")
        assert code == 0, output
        assert "2 lessons of coding-fundamentals deleted" in output
        assert learner.user_levels() == {"a": ("started", {"a-1": "not_started"})}
        assert learner.get("concepts/unlocked").body["unlocked_slugs"] == []
    assert other.user_levels()["a"][1] == {"a-1": "completed", "a-2": "started"}


def test_texts_of_deleted_accounts_are_swept(db, learner, count_rows):
    other = make_learner(db)
    learner.submit("lesson-1-1", solution="mine", shared="both").expect(201)
    other.submit("lesson-1-1", solution="theirs", shared="both").expect(201)
    assert count_rows("file_texts") == 3
    change(db, "delete from auth.users where id = :id", id=learner.id)
    with db.app_context(), unit_of_work() as uow:
        sweep_texts(uow)
    assert count_rows("file_texts") == 2


def test_a_deleted_account_leaves_no_row(db, learner, count_rows):
    learner.submit("lesson-1-1").expect(201)
    learner.complete("lesson-1-1")
    drain_outbox(db)
    change(db, "delete from auth.users where id = :id", id=learner.id)
    for table in ("user_courses", "user_levels", "user_lessons", "exercise_submissions", "activity_days"):
        assert count_rows(table) == 0, table
    assert count_rows("user_acquired_badges", user_id=learner.id) == 0


def test_badges_count_without_the_accounts_that_went(db, learner, flask):
    other = make_learner(db)
    drain_outbox(db)
    with db.app_context(), unit_of_work() as uow:
        uow.emit(AccountDeleting(learner.id))
        uow.session.execute(text("delete from auth.users where id = :id"), {"id": learner.id})
    drain_outbox(db)
    shown = {badge["slug"]: badge for badge in other.get("badges").body["badges"]}
    assert shown["member"]["num_awardees"] == 1
    assert flask("doctor") == (0, "all is well\n")


def test_exercise_analytics_count_sessions(db):
    import_levels(db, (2,))
    completed, bounced, abandoned, busy = (make_learner(db) for _ in range(4))
    for somebody in (completed, abandoned, busy):
        somebody.submit("lesson-1-1", solution="one").expect(201)
    completed.submit("lesson-1-1", solution="two").expect(201)
    bounced.start("lesson-1-1").expect(200)
    completed.complete("lesson-1-1").expect(200)
    rated = {"difficulty_rating": 4, "fun_rating": 5}
    completed.client.patch("internal/user_lessons/lesson-1-1/rate", rated).expect(200)
    message = {"context_type": "lesson", "context_identifier": "lesson-1-1", "content": "Why?"}
    abandoned.client.post("internal/assistant_conversations/user_messages", message).expect(200)
    long_ago = timedelta(days=8)
    old = "user_id in (:one, :two)"
    whose = {"one": bounced.id, "two": abandoned.id, "ago": long_ago}
    change(db, f"update learning.user_lessons set started_at = started_at - :ago where {old}", **whose)
    change(
        db,
        "update learning.exercise_submissions set stored_at = stored_at - :ago where user_lesson_id in "
        f"(select id from learning.user_lessons where {old})",
        **whose,
    )
    change(
        db,
        "update learning.user_lessons set completed_at = completed_at - :ago where completed_at is not null",
        **{"ago": long_ago},
    )
    admin = signed_in(db, make_user(db, is_admin=True))
    body = admin.get("admin/analytics/exercises").expect(200).body
    first, second = body["exercises"]
    assert body["insights"] == []
    assert (first["slug"], first["num_starts"]) == ("lesson-1-1", 4)
    assert (first["num_completed"], first["num_bounced"], first["num_abandoned"], first["num_in_progress"]) == (
        1,
        1,
        1,
        1,
    )
    assert (first["completion_pct"], first["low_sample"], first["health_score"]) == (33.3, True, None)
    assert (first["completer_median_attempts"], first["abandoner_median_attempts"]) == (2.0, 1.0)
    assert (first["avg_difficulty"], first["avg_fun"], first["num_engaged"], first["ask_jiki_pct"]) == (
        4.0,
        5.0,
        3,
        33.3,
    )
    assert (second["num_starts"], second["reach_start_pct"]) == (0, 0.0)
