"""Challenges: for premium members (contract.md 3.7, 3.9 and fact 9 of section 7)."""

from __future__ import annotations

import pytest

from jiki_learning.testing import course, import_into, level, make_learner, warm_cost
from jiki_payments.testing import make_premium, make_standard

FILES = {"submission": {"files": [{"filename": "a.js", "code": "x"}]}}


@pytest.fixture
def learner(db):
    import_into(db, course(level("a", "a-1", "a-2"), challenges={"zoo": None, "acronym": "a-1", "bells": None}))
    return make_learner(db)


@pytest.fixture
def member(db, learner):
    make_premium(db, learner.id)
    return learner


def statuses(learner, path="challenges"):
    return {row["slug"]: row["status"] for row in learner.get(path).expect(200).body["results"]}


def test_fact_9_a_free_learner_sees_the_list_and_nothing_else(learner):
    assert statuses(learner) == {"acronym": "locked", "bells": "unlocked", "zoo": "unlocked"}
    for method, path, body in (
        ("GET", "challenges/zoo", None),
        ("GET", "user_challenges/zoo", None),
        ("POST", "user_challenges/zoo/start", None),
        ("PATCH", "user_challenges/zoo/complete", None),
        ("POST", "challenges/zoo/exercise_submissions", FILES),
        ("GET", "challenges/zoo/exercise_submissions", None),
        ("GET", "challenges/zoo/exercise_submissions/latest", None),
        ("GET", "challenges/nowhere", None),
    ):
        learner.client.call(method, f"internal/{path}", json=body).expect(403, "premium_required")


def test_fact_9_a_locked_challenge_is_refused_until_its_lesson_is_complete(member, count_rows):
    member.client.post("internal/user_challenges/acronym/start").expect(403, "challenge_locked")
    member.client.post("internal/challenges/acronym/exercise_submissions", FILES).expect(403, "challenge_locked")
    assert count_rows("user_challenges") == 0
    member.complete("a-1")
    assert member.client.post("internal/user_challenges/acronym/start").expect(200).body == {"meta": {"events": []}}
    assert statuses(member)["acronym"] == "started"


def test_ones_own_challenges_come_first(member):
    member.client.post("internal/user_challenges/zoo/start")
    assert list(statuses(member)) == ["zoo", "acronym", "bells"]
    assert list(statuses(member, "challenges?query=B")) == ["bells"]
    assert list(statuses(member, "challenges?per=1&page=2")) == ["acronym"]


def test_a_challenge_is_shown_locked_or_not(member):
    body = member.get("challenges/acronym").expect(200).body
    assert body == {"challenge": {"slug": "acronym", "exercise_slug": "acronym"}, "meta": {"events": []}}
    member.get("challenges/nowhere").expect(404, "challenge_not_found")


def test_a_challenge_is_started_submitted_and_completed(member):
    member.get("user_challenges/zoo").expect(404, "user_challenge_not_found")
    member.client.patch("internal/user_challenges/zoo/complete").expect(404, "user_challenge_not_found")
    for _ in range(2):
        member.client.post("internal/user_challenges/zoo/start").expect(200)
    member.client.post("internal/challenges/zoo/exercise_submissions", FILES).expect(201)
    shown = member.get("user_challenges/zoo").expect(200).body["user_challenge"]
    assert shown["status"] == "started"
    assert shown["conversation_allowed"] is True
    assert shown["data"]["last_submission"]["files"] == [{"filename": "a.js", "content": "x"}]
    for _ in range(2):
        completed = member.client.patch("internal/user_challenges/zoo/complete").expect(200)
        assert completed.body == {"meta": {"events": []}}
    assert member.get("user_challenges/zoo").body["user_challenge"]["status"] == "completed"
    assert statuses(member)["zoo"] == "completed"


def test_a_submission_starts_an_unlocked_challenge_and_a_repeat_is_not_stored(member, count_rows):
    for _ in range(2):
        member.client.post("internal/challenges/bells/exercise_submissions", FILES).expect(201)
    assert count_rows("user_challenges") == 1
    assert count_rows("exercise_submissions") == 1
    latest = member.get("challenges/bells/exercise_submissions/latest").expect(200).body["submission"]
    assert (latest["context_type"], latest["context_slug"]) == ("UserChallenge", "bells")
    one = member.get(f"challenges/bells/exercise_submissions/{latest['uuid']}").expect(200).body["submission"]
    assert one == latest
    history = member.get("challenges/bells/exercise_submissions").expect(200).body
    assert history["results"][0]["filenames"] == ["a.js"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "user_challenges/nowhere/start"),
        ("PATCH", "user_challenges/nowhere/complete"),
        ("GET", "user_challenges/nowhere"),
        ("POST", "challenges/nowhere/exercise_submissions"),
    ],
)
def test_an_unknown_challenge_is_not_found(member, method, path):
    body = FILES if path.endswith("submissions") else None
    member.client.call(method, f"internal/{path}", json=body).expect(404, "challenge_not_found")


def test_completing_a_challenge_counts_for_the_streak(member, count_rows):
    member.client.post("internal/user_challenges/zoo/start")
    assert count_rows("activity_days", user_id=member.id) == 0
    member.client.patch("internal/user_challenges/zoo/complete").expect(200)
    assert count_rows("activity_days", user_id=member.id) == 1


def test_who_is_premium_no_more_is_refused_at_once(db, member):
    member.get("challenges/zoo").expect(200)
    make_standard(db, member.id)
    member.get("challenges/zoo").expect(403, "premium_required")


def test_without_payments_everybody_is_a_member(make_app):
    from jiki_core.testing.databases import truncate_all

    school = make_app(plugins=("auth", "learning"))
    try:
        import_into(school, course(level("a", "a-1"), challenges={"zoo": None}))
        make_learner(school).client.post("internal/user_challenges/zoo/start").expect(200)
    finally:
        truncate_all(school)


def test_one_or_fifty_challenges_cost_the_same(db, learner):
    few = warm_cost(db, learner, "challenges?per=100")
    import_into(db, course(level("a", "a-1"), challenges={f"challenge-{n}": None for n in range(50)}))
    assert warm_cost(db, learner, "challenges?per=100") == few == 1
