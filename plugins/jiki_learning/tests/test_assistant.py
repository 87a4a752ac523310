"""Conversations with the assistant (contract.md 3.9 and 3.17) and the client's analytics events (2.5)."""

from __future__ import annotations

import jwt
import pytest

from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox
from jiki_learning.assistant_tokens import message_signature
from jiki_learning.testing import course, import_into, level, make_learner
from jiki_payments.testing import make_premium

TOKENS = "internal/assistant_conversations"
USER_MESSAGES = f"{TOKENS}/user_messages"
ASSISTANT_MESSAGES = f"{TOKENS}/assistant_messages"
TOKEN_SECRET = "a secret shared with the proxy, long enough for HS256"


@pytest.fixture
def learner(db):
    import_into(db, course(level("a", "a-1", "a-2"), challenges={"zoo": None}))
    return make_learner(db)


def said(content="Why?", **context):
    return {"context_type": "lesson", "context_identifier": "a-1", "content": content, **context}


def signed(app, learner, content, timestamp, **context):
    settings = runtime_of(app).plugin_settings["learning"]
    with app.app_context():
        signature = message_signature(learner.id, content, timestamp, settings)
    return {**said(content, **context), "timestamp": timestamp, "signature": signature, "tokens": 12}


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_a_token_names_learner_exercise_and_lesson_and_lasts_an_hour(learner):
    token = learner.client.post(TOKENS, {"lesson_slug": "a-1", "cf_turnstile_response": "ok"}).expect(200).body["token"]
    claims = claims_of(token)
    assert (claims["sub"], claims["exercise_slug"], claims["lesson_slug"]) == (str(learner.id), "a-1", "a-1")
    assert claims["exp"] - claims["iat"] == 3_600
    assert jwt.get_unverified_header(token)["alg"] == "HS256"


def test_a_token_can_be_checked_with_the_shared_secret(make_app):
    from jiki_core.testing.databases import truncate_all

    school = make_app(plugins=("auth", "learning"), settings={"JIKI_LEARNING_ASSISTANT_TOKEN_SECRET": TOKEN_SECRET})
    try:
        import_into(school, course(level("a", "a-1")))
        body = {"lesson_slug": "a-1", "cf_turnstile_response": "ok"}
        token = make_learner(school).client.post(TOKENS, body).expect(200).body["token"]
        assert jwt.decode(token, TOKEN_SECRET, algorithms=["HS256"])["lesson_slug"] == "a-1"
    finally:
        truncate_all(school)


def test_a_token_is_never_cached(learner):
    headers = learner.client.post(TOKENS, {"lesson_slug": "a-1", "cf_turnstile_response": "ok"}).headers
    assert headers["Cache-Control"] == "no-store"


def test_exactly_one_context_is_named(learner):
    learner.client.post(TOKENS, {"cf_turnstile_response": "ok"}).expect(422, "validation_error")
    both = {"lesson_slug": "a-1", "challenge_slug": "zoo", "cf_turnstile_response": "ok"}
    learner.client.post(TOKENS, both).expect(422, "validation_error")


def test_unknown_lessons_and_challenges_are_not_found(learner):
    learner.client.post(TOKENS, {"lesson_slug": "nowhere", "cf_turnstile_response": "ok"}).expect(
        404, "lesson_not_found"
    )
    learner.client.post(TOKENS, {"challenge_slug": "nowhere", "cf_turnstile_response": "ok"}).expect(
        404, "challenge_not_found"
    )
    learner.client.post(USER_MESSAGES, said(context_identifier="nowhere")).expect(404, "lesson_not_found")


def test_an_unknown_context_is_a_fault_of_its_field(learner):
    errors = learner.client.post(USER_MESSAGES, said(context_type="course")).expect(422, "validation_error").error
    assert errors["errors"] == {"context_type": [{"error": "inclusion", "value": "course"}]}


def test_a_free_learner_talks_about_one_lesson(db, learner):
    def ask(slug):
        return learner.client.post(TOKENS, {"lesson_slug": slug, "cf_turnstile_response": "ok"})

    learner.complete("a-1")
    learner.start("a-2")
    assert learner.get("user_lessons/a-2").body["user_lesson"]["conversation_allowed"] is True
    ask("a-1").expect(200)
    ask("a-1").expect(200)
    ask("a-2").expect(403, "access_denied")
    learner.client.post(USER_MESSAGES, said(context_identifier="a-2")).expect(403, "access_denied")
    assert learner.get("user_lessons/a-1").body["user_lesson"]["conversation_allowed"] is True
    assert learner.get("user_lessons/a-2").body["user_lesson"]["conversation_allowed"] is False
    make_premium(db, learner.id)
    ask("a-2").expect(200)
    assert learner.get("user_lessons/a-1").body["user_lesson"]["conversation_allowed"] is True


def test_challenges_are_talked_about_by_members_only_and_do_not_count(db, learner):
    body = {"challenge_slug": "zoo", "cf_turnstile_response": "ok"}
    learner.client.post(TOKENS, body).expect(403, "access_denied")
    make_premium(db, learner.id)
    claims = claims_of(learner.client.post(TOKENS, body).expect(200).body["token"])
    assert (claims["exercise_slug"], claims["challenge_slug"]) == ("zoo", "zoo")
    learner.client.post(TOKENS, {"lesson_slug": "a-1", "cf_turnstile_response": "ok"}).expect(200)


def test_what_was_said_is_kept_in_order(db, learner):
    learner.start("a-1")
    learner.client.post(USER_MESSAGES, {**said("Why?"), "tokens": 3}).expect(200)
    answer = signed(db, learner, "Because.", "2026-11-22T08:20:05.663Z")
    learner.client.post(ASSISTANT_MESSAGES, answer).expect(200)
    learner.client.post(ASSISTANT_MESSAGES, signed(db, learner, "And so.", 1_795_335_605)).expect(200)
    assert learner.get("user_lessons/a-1").body["user_lesson"]["conversation"] == [
        {"role": "user", "content": "Why?", "timestamp": None},
        {"role": "assistant", "content": "Because.", "timestamp": "2026-11-22T08:20:05.663Z"},
        {"role": "assistant", "content": "And so.", "timestamp": 1_795_335_605},
    ]


@pytest.mark.parametrize(
    "change", [{"content": "Other"}, {"timestamp": "later"}, {"signature": "00"}, {"signature": "é"}]
)
def test_words_the_proxy_did_not_sign_are_refused(db, learner, count_rows, change):
    message = {**signed(db, learner, "Because.", "now"), **change}
    answer = learner.client.post(ASSISTANT_MESSAGES, message).expect(401, "invalid_signature")
    assert answer.body["meta"] == {"events": []}
    assert count_rows("assistant_messages") == 0


def test_a_signature_for_somebody_else_is_refused(db, learner):
    other = make_learner(db)
    learner.client.post(ASSISTANT_MESSAGES, signed(db, other, "Because.", "now")).expect(401, "invalid_signature")


def test_the_first_question_earns_a_badge(db, learner):
    learner.client.post(USER_MESSAGES, said()).expect(200)
    learner.client.post(USER_MESSAGES, said("And why?")).expect(200)
    drain_outbox(db)
    shown = {badge["slug"]: badge for badge in learner.get("badges").body["badges"]}
    assert (shown["sidekick"]["state"], shown["sidekick"]["num_awardees"]) == ("unrevealed", 1)


def test_messages_are_limited_per_day_but_the_last_one_is_answered(make_app):
    from jiki_core.testing.databases import truncate_all

    school = make_app(plugins=("auth", "learning"), settings={"JIKI_LEARNING_ASSISTANT_MESSAGES_PER_DAY": "2"})
    try:
        import_into(school, course(level("a", "a-1")))
        learner = make_learner(school)
        for _ in range(2):
            learner.client.post(USER_MESSAGES, said()).expect(200)
        refused = learner.client.post(USER_MESSAGES, said()).expect(403, "access_denied")
        assert refused.error["reason"] == "allowance_used_up"
        learner.client.post(TOKENS, {"lesson_slug": "a-1", "cf_turnstile_response": "x"}).expect(403, "access_denied")
        learner.client.post(ASSISTANT_MESSAGES, signed(school, learner, "Because.", "now")).expect(200)
    finally:
        truncate_all(school)


@pytest.mark.parametrize(
    "body",
    [
        {"event": "premium_modal_shown"},
        {"event": "premium_modal_shown", "properties": None},
        {
            "event": "premium_feature_blocked",
            "properties": {
                "feature": "challenges",
                "context_type": "challenge",
                "context_id": 7,
                "context_slug": "zoo",
            },
        },
        {"event": "premium_modal_shown", "properties": {"trigger": "menu", "context_uuid": "u"}},
    ],
)
def test_the_clients_analytics_events_are_passed_on(learner, body):
    answer = learner.client.post("internal/events", body).expect(204)
    assert answer.response.data == b""


@pytest.mark.parametrize("event", ["page_viewed", "", None])
def test_an_event_of_another_name_is_refused(learner, event):
    learner.client.post("internal/events", {"event": event}).expect(422, "invalid_event")
    learner.client.post("internal/events", {}).expect(422, "invalid_event")


def test_an_event_reaches_whoever_listens(db, learner):
    from sqlalchemy import select

    from jiki_core.db import reading
    from jiki_core.db.outbox import OutboxEntry

    body = {"event": "premium_modal_shown", "properties": {"trigger": "menu", "context_id": 7}}
    learner.client.post("internal/events", body).expect(204)
    with db.app_context():
        stored = reading().scalars(select(OutboxEntry).where(OutboxEntry.name == "learning.client_event_tracked")).one()
    assert (stored.payload["trigger"], stored.payload["context_id"]) == ("menu", "7")
