"""The heart: starting and completing lessons over HTTP (contract.md 3.7 and facts 2 to 6 of its section 7)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from jiki_core.db import unit_of_work
from jiki_core.testing import drain_outbox
from jiki_learning.testing import course, import_into, import_levels, lesson, level, make_learner


def unlocked_lesson(slug):
    return {"type": "lesson_unlocked", "data": {"lesson_slug": slug}}


def test_fact_2_a_deep_link_to_a_later_lesson_is_refused_and_leaves_no_row(learner, count_rows):
    learner.start("lesson-1-2").expect(422, "lesson_not_unlocked")
    learner.start("lesson-2-1").expect(403, "user_level_not_found")
    assert count_rows("user_lessons", user_id=learner.id) == 0


def test_fact_3_completing_without_start_works_on_the_frontier_only(learner, count_rows):
    learner.complete("lesson-1-2").expect(422, "lesson_not_unlocked")
    learner.complete("lesson-2-1").expect(422, "user_level_not_found")
    assert count_rows("user_lessons", user_id=learner.id) == 0
    assert learner.unlocked("lesson-1-1") == [unlocked_lesson("lesson-1-2")]


def test_fact_4_completing_twice_unlocks_once(learner):
    assert learner.unlocked("lesson-1-1") == [unlocked_lesson("lesson-1-2")]
    assert learner.unlocked("lesson-1-1") == []


def test_fact_5_the_last_lesson_completes_the_level_starts_the_next_and_mails_once(db, mails):
    texts = {
        "milestone_email_subject": "Well done!",
        "milestone_email_content_markdown": "You *made* it.\n\n<b>raw</b>",
    }
    import_into(db, course(level("a", "a-1", "a-2", **texts), level("b", "b-1")))
    learner = make_learner(db)
    learner.complete("a-1")
    mails()
    assert learner.unlocked("a-2") == [unlocked_lesson("b-1")]
    assert {slug: status for slug, (status, _) in learner.user_levels().items()} == {"a": "completed", "b": "started"}
    sent = [mail for mail in mails() if mail.to == learner.user.email]
    milestones = [mail for mail in sent if mail.subject == "Well done!"]
    assert len(milestones) == 1
    assert "You *made* it." in milestones[0].text
    assert "<em>made</em>" in milestones[0].html
    assert "<b>raw</b>" not in milestones[0].html


def test_fact_6_completing_a_reopened_level_does_not_move_the_frontier_back(db, mails):
    import_into(db, course(level("a", "a-1", milestone_email_subject="Hooray"), level("b", "b-1", "b-2")))
    learner = make_learner(db)
    learner.complete("a-1")
    learner.complete("b-1")
    mails()
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("update learning.user_levels set completed_at = null where completed_at is not null"))
    content = course(level("a", "a-1", "a-2", milestone_email_subject="Hooray"), level("b", "b-1", "b-2"))
    import_into(db, content)
    assert learner.get("user_courses/coding-fundamentals").body["user_course"]["current_level_slug"] == "b"
    assert learner.unlocked("a-2") == []
    assert learner.get("user_courses/coding-fundamentals").body["user_course"]["current_level_slug"] == "b"
    assert learner.user_levels()["b"][1] == {"b-1": "completed", "b-2": "not_started"}
    mails()


def test_a_level_completed_again_is_not_mailed_again(db, mails):
    import_into(db, course(level("a", "a-1", milestone_email_subject="Hooray"), level("b", "b-1")))
    learner = make_learner(db)
    learner.complete("a-1")
    assert sum(mail.subject == "Hooray" for mail in mails()) == 1
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("update learning.user_levels set completed_at = null where completed_at is not null"))
    learner.complete("b-1")
    assert sum(mail.subject == "Hooray" for mail in mails()) == 1


def test_a_milestone_is_not_mailed_to_somebody_who_does_not_want_it(db, mails):
    from sqlalchemy import update

    from jiki_auth.models import User

    import_into(db, course(level("a", "a-1", milestone_email_subject="Hooray"), level("b", "b-1")))
    learner = make_learner(db)
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(User).where(User.id == learner.id).values(receive_milestone_emails=False))
    learner.complete("a-1")
    assert "Hooray" not in {mail.subject for mail in mails()}


def test_a_milestone_is_told_in_the_learners_language(db, mails):
    from sqlalchemy import update

    from jiki_auth.models import User
    from jiki_learning.content.course import LevelTranslation
    from jiki_learning.testing import uuid_of

    translation = LevelTranslation(uuid_of("level a"), "hu", "Szép munka", "Sikerült.")
    levels = (level("a", "a-1", milestone_email_subject="Well done"), level("b", "b-1"))
    import_into(db, course(*levels, translations=(translation,)))
    learner = make_learner(db)
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(User).where(User.id == learner.id).values(explicit_locale="hu"))
    learner.complete("a-1")
    assert next(mail.subject for mail in mails() if mail.to == learner.user.email) == "Szép munka"


def test_starting_again_answers_the_same_and_changes_nothing(learner, count_rows):
    first = learner.start("lesson-1-1").expect(200).body
    assert learner.start("lesson-1-1").expect(200).body == first
    learner.complete("lesson-1-1")
    again = learner.start("lesson-1-1").expect(200).body
    assert again["user_lesson"]["status"] == "completed"
    assert count_rows("user_lessons", user_id=learner.id) == 1


def test_another_lesson_waits_for_the_one_in_progress(db):
    import_into(db, course(level("a", "a-1", lesson("extra", is_optional=True), "a-2")))
    learner = make_learner(db)
    learner.complete("a-1")
    learner.start("a-2").expect(200)
    learner.start("extra").expect(200)
    import_into(db, course(level("a", "a-1", lesson("extra", is_optional=True), "a-2", "a-3")))
    learner.start("a-3").expect(422, "lesson_in_progress")
    learner.complete("a-3").expect(422, "lesson_in_progress")


def test_an_optional_lesson_in_progress_stops_nobody(db):
    import_into(db, course(level("a", "a-1", lesson("extra", is_optional=True), "a-2")))
    learner = make_learner(db)
    learner.start("extra").expect(422, "lesson_not_unlocked")
    learner.complete("a-1")
    learner.start("extra").expect(200)
    assert learner.unlocked("a-2") == []
    assert learner.user_levels()["a"][0] == "completed"
    learner.complete("extra").expect(200)


@pytest.mark.parametrize(("act", "status"), [("start", 403), ("complete", 422)])
def test_somebody_who_is_not_enrolled_has_no_level(db, act, status):
    import_into(db, course(level("b", "b-1"), slug="another-course"))
    learner = make_learner(db)
    getattr(learner, act)("b-1").expect(status, "user_level_not_found")


@pytest.mark.parametrize("act", ["start", "complete"])
def test_an_unknown_lesson_is_not_found(learner, act):
    getattr(learner, act)("nowhere").expect(404, "lesson_not_found")


def test_completing_unlocks_lesson_concepts_and_challenge_in_this_order(db):
    content = course(
        level("a", "a-1", "a-2"),
        concepts={"zebras": "a-1", "apes": "a-1", "later": "a-2"},
        challenges={"acronym": "a-1"},
    )
    import_into(db, content)
    learner = make_learner(db)
    assert learner.unlocked("a-1") == [
        unlocked_lesson("a-2"),
        {"type": "concept_unlocked", "data": {"concept_slug": "zebras"}},
        {"type": "concept_unlocked", "data": {"concept_slug": "apes"}},
        {"type": "challenge_unlocked", "data": {"challenge": {"slug": "acronym", "exercise_slug": "acronym"}}},
    ]


def test_a_concept_that_is_unlocked_already_is_not_told_again(db):
    import_into(db, course(level("a", "a-1", "a-2"), concepts={"loops": "a-1"}))
    learner = make_learner(db)
    learner.complete("a-1")
    import_into(db, course(level("a", "a-1", "a-2", "a-3"), concepts={"loops": "a-2"}))
    assert learner.unlocked("a-2") == [unlocked_lesson("a-3")]


def test_unlocked_lessons_are_told_as_notifications(db, learner):
    learner.complete("lesson-1-1")
    drain_outbox(db)
    told = learner.get("notifications").expect(200).body["results"]
    unlocked = [one for one in told if one["type"] == "learning.lesson_unlocked"]
    assert [one["data"] for one in unlocked] == [{"lesson_slug": "lesson-1-2"}]


def test_a_level_emptied_by_an_editor_strands_nobody(db):
    import_levels(db, (2, 1))
    learner = make_learner(db)
    learner.complete("lesson-1-1")
    import_into(db, course(level("level-1", "lesson-1-1"), level("level-2", "lesson-2-1", "lesson-1-2")))
    assert learner.user_levels()["level-2"] == ("started", {"lesson-2-1": "not_started"})
    assert learner.unlocked("lesson-2-1") == [unlocked_lesson("lesson-1-2")]
