"""Badges, streaks and videos (contract.md 3.15, 3.16, 3.7 and fact 11 of section 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import text

from jiki_core.contracts import AccountFields, ask
from jiki_core.db import unit_of_work
from jiki_core.testing import drain_outbox
from jiki_learning.badge_rules import BADGES
from jiki_learning.testing import course, import_into, import_levels, level, make_learner, warm_cost
from jiki_payments.testing import make_premium

#: in the past, so that nothing that is asked for "now" waits for a time to come
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def badges(learner):
    return {badge["slug"]: badge for badge in learner.get("badges").expect(200).body["badges"]}


def profile(app, user_id):
    with app.app_context():
        answers = ask(AccountFields).fields("profile", [user_id])
    return {name: value for answer in answers for name, value in answer.get(user_id, {}).items()}


def test_a_new_account_is_a_member_and_secret_badges_are_counted(db, learner):
    drain_outbox(db)
    body = learner.get("badges").expect(200).body
    shown = {badge["slug"]: badge for badge in body["badges"]}
    assert shown["member"]["state"] == "unrevealed"
    assert shown["member"]["num_awardees"] == 1
    assert shown["member"]["unlocked_at"].endswith("Z")
    assert "unlocked_at" not in shown["first_lesson"]
    assert shown["first_lesson"] | {"id": 0} == {"id": 0, "slug": "first_lesson", "state": "locked", "num_awardees": 0}
    secret = {rule.slug for rule in BADGES if rule.is_secret}
    assert body["num_locked_secret_badges"] == len(secret - shown.keys())
    assert [badge["id"] for badge in body["badges"]] == sorted(badge["id"] for badge in body["badges"])


def test_the_first_lesson_earns_a_badge_once_and_tells_the_learner(db, learner):
    learner.complete("lesson-1-1")
    learner.complete("lesson-1-2")
    drain_outbox(db)
    assert badges(learner)["first_lesson"]["num_awardees"] == 1
    told = learner.get("notifications").body["results"]
    assert [one["data"]["slug"] for one in told if one["type"] == "learning.badge_awarded"].count("first_lesson") == 1


def test_fact_11_a_secret_badge_is_hidden_until_it_is_earned(db, learner):
    with time_machine.travel(NOON.replace(hour=5)):
        before = learner.get("badges").body
        assert "early_bird" not in badges(learner)
        learner.complete("lesson-1-1").expect(200)
        drain_outbox(db)
        after = learner.get("badges").body
    assert "early_bird" in {badge["slug"] for badge in after["badges"]}
    assert after["num_locked_secret_badges"] == before["num_locked_secret_badges"] - 1


def test_the_hour_is_the_learners_own(db, learner):
    from sqlalchemy import update

    from jiki_auth.models import User

    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(User).where(User.id == learner.id).values(timezone="Asia/Tokyo"))
    with time_machine.travel(NOON.replace(hour=20)):  # five in the morning in Tokyo
        learner.complete("lesson-1-1").expect(200)
        drain_outbox(db)
        earned = badges(learner)
    assert "early_bird" in earned
    assert "night_owl" not in earned


def test_fact_11_revealing_is_idempotent(db, learner):
    drain_outbox(db)
    badge_id = badges(learner)["member"]["id"]
    for _ in range(2):
        body = learner.client.patch(f"internal/badges/{badge_id}/reveal").expect(200).body["badge"]
        assert (body["id"], body["slug"], body["revealed"], body["num_awardees"]) == (badge_id, "member", True, 1)
    assert badges(learner)["member"]["state"] == "revealed"


@pytest.mark.parametrize("badge_id", ["0", "-1", "999999", "99999999999999999999", "member", "1.5"])
def test_a_badge_one_does_not_have_cannot_be_revealed(db, learner, badge_id):
    drain_outbox(db)
    learner.client.patch(f"internal/badges/{badge_id}/reveal").expect(404, "badge_not_found")
    locked = badges(learner)["first_lesson"]["id"]
    learner.client.patch(f"internal/badges/{locked}/reveal").expect(404, "badge_not_found")


@pytest.mark.parametrize(
    ("slug", "badge"), [("maze-solve-basic", "maze_navigator"), ("golf-scenarios", "scenario_handler")]
)
def test_certain_lessons_earn_badges_of_their_own(db, slug, badge):
    import_into(db, course(level("a", slug)))
    learner = make_learner(db)
    learner.complete(slug)
    drain_outbox(db)
    assert badges(learner)[badge]["state"] == "unrevealed"


def test_becoming_premium_earns_a_badge(db, learner):
    make_premium(db, learner.id)
    drain_outbox(db)
    assert badges(learner)["premium"]["state"] == "unrevealed"


def test_the_list_of_badges_costs_one_query(db, learner):
    drain_outbox(db)
    assert warm_cost(db, learner, "badges") == 1


def test_days_with_completions_and_new_submissions_make_a_streak(db):
    import_levels(db, (6,))
    learner = make_learner(db)
    assert profile(db, learner.id) == {"current_streak": 0, "total_active_days": 0}
    with time_machine.travel(NOON):
        learner.complete("lesson-1-1").expect(200)
        learner.complete("lesson-1-2").expect(200)
        assert profile(db, learner.id) == {"current_streak": 1, "total_active_days": 1}
    with time_machine.travel(NOON + timedelta(days=1)):
        assert profile(db, learner.id)["current_streak"] == 1
        learner.submit("lesson-1-3").expect(201)
        assert profile(db, learner.id) == {"current_streak": 2, "total_active_days": 2}
    with time_machine.travel(NOON + timedelta(days=2)):
        learner.submit("lesson-1-3").expect(201)  # the same again: nothing is stored
        assert profile(db, learner.id) == {"current_streak": 2, "total_active_days": 2}
    with time_machine.travel(NOON + timedelta(days=3)):
        assert profile(db, learner.id) == {"current_streak": 0, "total_active_days": 2}


def test_the_profile_shows_the_streak_to_those_who_want_it(learner):
    learner.complete("lesson-1-1")
    learner.client.patch("internal/settings/streaks", {"enabled": False}).expect(200)
    shown = learner.get("profile").expect(200).body["profile"]
    assert (shown["streaks_enabled"], shown["total_active_days"]) == (False, 1)
    assert "current_streak" not in shown
    learner.client.patch("internal/settings/streaks", {"enabled": True}).expect(200)
    shown = learner.get("profile").body["profile"]
    assert (shown["streaks_enabled"], shown["current_streak"]) == (True, 1)
    assert "total_active_days" not in shown


def test_a_day_ends_when_the_learners_day_ends(db, learner):
    from sqlalchemy import update

    from jiki_auth.models import User

    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(User).where(User.id == learner.id).values(timezone="Pacific/Auckland"))
    with time_machine.travel(NOON.replace(hour=10)):  # the 10th in UTC, still the 10th in Auckland
        learner.complete("lesson-1-1")
    with time_machine.travel(NOON.replace(hour=12)):  # the 10th in UTC, the 11th in Auckland
        learner.complete("lesson-1-2")
        assert profile(db, learner.id) == {"current_streak": 2, "total_active_days": 2}
    with db.app_context(), unit_of_work() as uow:
        days = uow.session.execute(text("select day from learning.activity_days order by day")).scalars().all()
    assert [day.day for day in days] == [10, 11]


def test_a_videos_percentage_is_clamped_never_goes_down_and_completes_at_a_hundred(learner):
    path = "internal/user_videos/episode-1"
    learner.get("user_videos/episode-1").expect(404, "user_video_not_found")
    first = learner.client.patch(path, {"watched_percentage": 40}).expect(200).body["user_video"]
    assert first == {"uuid": "episode-1", "watched_percentage": 40, "status": "started", "completed_at": None}
    learner.client.put(path, {"watched_percentage": 10}).expect(200)
    assert learner.get("user_videos/episode-1").body["user_video"]["watched_percentage"] == 40
    done = learner.client.patch(path, {"watched_percentage": 700}).expect(200).body["user_video"]
    assert (done["watched_percentage"], done["status"]) == (100, "completed")
    again = learner.client.patch(path, {"watched_percentage": 0}).expect(200).body["user_video"]
    assert again == done
    assert learner.get("user_videos").expect(200).body["user_videos"] == [done]


def test_a_videos_percentage_must_be_a_number(learner):
    for body in ({}, {"watched_percentage": None}, {"watched_percentage": "4"}, {"watched_percentage": True}):
        learner.client.patch("internal/user_videos/x", body).expect(422, "validation_error")


def test_of_a_fraction_counts_what_was_seen_in_full(learner):
    shown = learner.client.patch("internal/user_videos/x", {"watched_percentage": 99.96}).expect(200).body["user_video"]
    assert (shown["watched_percentage"], shown["status"]) == (99, "started")


def test_a_video_may_not_be_called_anything(learner):
    learner.client.patch(f"internal/user_videos/{'x' * 256}", {"watched_percentage": 1}).expect(404)


def test_one_or_fifty_videos_cost_the_same(db, learner):
    learner.client.patch("internal/user_videos/v", {"watched_percentage": 1})
    few = warm_cost(db, learner, "user_videos")
    for number in range(49):
        learner.client.patch(f"internal/user_videos/v{number}", {"watched_percentage": 1})
    assert warm_cost(db, learner, "user_videos") == few == 1
