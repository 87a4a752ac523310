"""`internal/settings*` and `internal/profile` (contract.md 2.5, section 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from jiki_auth.models import Session
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import unit_of_work

NEW = "violet anchor 22"


@pytest.fixture
def user(db):
    return make_user(db)


@pytest.fixture
def me(db, user):
    return signed_in(db, user)


def age_sign_in(app, user, **age):
    with app.app_context(), unit_of_work() as uow:
        uow.session.execute(
            update(Session).where(Session.user_id == user.id).values(authenticated_at=uow.now - timedelta(**age))
        )


def test_all_settings_of_a_new_account(me, user):
    answer = me.get("internal/settings").expect(200)
    assert answer.body["settings"] == {
        "name": None,
        "handle": user.handle,
        "email": user.email,
        "unconfirmed_email": None,
        "email_confirmed": True,
        "locale": "en",
        "receive_newsletters": True,
        "receive_event_emails": True,
        "receive_milestone_emails": True,
        "receive_activity_emails": True,
        "receive_onboarding_emails": True,
        "streaks_enabled": False,
        "timezone": "UTC",
    }
    assert answer.body["meta"] == {"events": []}


@pytest.mark.parametrize(
    ("path", "body", "member", "value"),
    [
        ("name", {"value": "Ada Lovelace"}, "name", "Ada Lovelace"),
        ("name", {"value": ""}, "name", None),
        ("name", {"value": None}, "name", None),
        ("handle", {"value": "ada-l"}, "handle", "ada-l"),
        ("handle", {"value": "Ada-L"}, "handle", "ada-l"),
        ("timezone", {"value": "Europe/Berlin"}, "timezone", "Europe/Berlin"),
        ("locale", {"value": "en"}, "locale", "en"),
        ("locale", {"value": None}, "locale", "en"),
        ("streaks", {"enabled": True}, "streaks_enabled", True),
        ("notifications/newsletters", {"value": False}, "receive_newsletters", False),
        ("notifications/milestone_emails", {"value": False}, "receive_milestone_emails", False),
        ("name", {"value": "Ada", "sudo_password": "whatever the client sends"}, "name", "Ada"),
    ],
)
def test_a_change_answers_with_all_settings(me, path, body, member, value):
    answer = me.patch(f"internal/settings/{path}", body).expect(200)
    assert answer.body["settings"][member] == value
    assert me.get("internal/settings").body["settings"] == answer.body["settings"]


@pytest.mark.parametrize(
    ("path", "body", "symbol", "errors"),
    [
        ("name", {}, "name_update_failed", {"name": [{"error": "blank"}]}),
        ("name", {"value": "x" * 101}, "name_update_failed", {"name": [{"error": "too_long", "count": 100}]}),
        ("handle", {"value": ""}, "handle_update_failed", {"handle": [{"error": "blank"}]}),
        ("handle", {"value": "ab"}, "handle_update_failed", {"handle": [{"error": "too_short", "count": 3}]}),
        ("handle", {"value": "x" * 31}, "handle_update_failed", {"handle": [{"error": "too_long", "count": 30}]}),
        ("email", {"value": ""}, "email_update_failed", {"email": [{"error": "blank"}]}),
        ("locale", {"value": 7}, "locale_update_failed", {"data.explicit_locale": [{"error": "invalid"}]}),
        ("password", {"value": ""}, "password_update_failed", {"password": [{"error": "blank"}]}),
        ("timezone", {"value": None}, "timezone_update_failed", {"timezone": [{"error": "blank"}]}),
        ("handle", {"value": "a b c"}, "handle_update_failed", {"handle": [{"error": "invalid", "value": "a b c"}]}),
        ("email", {"value": "no address"}, "email_update_failed", {"email": [{"error": "invalid"}]}),
        (
            "locale",
            {"value": "invalid"},
            "locale_update_failed",
            {"data.explicit_locale": [{"error": "inclusion", "value": "invalid"}]},
        ),
        ("streaks", {"enabled": None}, "streaks_update_failed", {"enabled": [{"error": "boolean_required"}]}),
        ("streaks", {}, "streaks_update_failed", {"enabled": [{"error": "boolean_required"}]}),
        ("streaks", {"enabled": "yes"}, "streaks_update_failed", {"enabled": [{"error": "boolean_required"}]}),
        ("notifications/newsletters", {"value": "no"}, "notification_update_failed", {"value": [{"error": "invalid"}]}),
        (
            "timezone",
            {"value": "Mars/Olympus"},
            "timezone_update_failed",
            {"timezone": [{"error": "inclusion", "value": "Mars/Olympus"}]},
        ),
        ("password", {"value": "short"}, "password_update_failed", {"password": [{"error": "too_short", "count": 8}]}),
        ("password", {"value": "Password123!"}, "password_update_failed", {"password": [{"error": "exclusion"}]}),
    ],
)
def test_a_refusal_has_the_settings_own_symbol(me, path, body, symbol, errors):
    answer = me.patch(f"internal/settings/{path}", body).expect(422, symbol)
    assert answer.error["errors"] == errors
    assert answer.body["meta"] == {"events": []}


def test_a_taken_handle_is_refused_whatever_its_case(me, db):
    other = make_user(db)
    answer = me.patch("internal/settings/handle", {"value": other.handle.upper()}).expect(422, "handle_update_failed")
    assert answer.error["errors"]["handle"][0]["error"] == "taken"


def test_an_unknown_kind_of_mail_is_not_found(me):
    me.patch("internal/settings/notifications/nonsense", {"value": True}).expect(404, "not_found")


def test_flags_are_raised_once_and_stay(me):
    assert me.get("internal/settings/flags/welcome_modal").expect(200).body["flagged"] is False
    for _ in range(2):
        assert me.post("internal/settings/flags/welcome_modal").expect(200).body["flagged"] is True
    assert me.get("internal/settings/flags/welcome_modal").body["flagged"] is True
    assert me.get("internal/settings/flags/other").body["flagged"] is False


def test_a_flags_key_has_at_most_100_characters_with_its_prefix(me):
    me.post(f"internal/settings/flags/{'x' * 93}").expect(200)
    answer = me.post(f"internal/settings/flags/{'x' * 94}").expect(422, "flag_invalid")
    assert answer.error["errors"] == {"key": [{"error": "too_long", "count": 100}]}


def test_the_profile_shows_the_streak_or_the_total(me):
    profile = me.get("internal/profile").expect(200).body["profile"]
    assert profile == {"icon": "flag", "avatar_url": None, "streaks_enabled": False, "total_active_days": 0}
    me.patch("internal/settings/streaks", {"enabled": True})
    profile = me.get("internal/profile").body["profile"]
    assert profile == {"icon": "flag", "avatar_url": None, "streaks_enabled": True, "current_streak": 0}


def test_a_new_password_ends_every_other_session(me, db, user, client):
    other = signed_in(db, user)
    me.patch("internal/settings/password", {"value": NEW}).expect(200)
    me.get("internal/me").expect(200)
    other.get("internal/me").expect(401)
    client.post("auth/login", {"user": {"email": user.email, "password": NEW}}).expect(200)


def test_an_old_sign_in_needs_the_password(me, db, user):
    age_sign_in(db, user, minutes=11)
    me.patch("internal/settings/password", {"value": NEW}).expect(403, "reauth_required")
    me.patch("internal/settings/password", {"value": NEW, "sudo_password": ""}).expect(403, "reauth_required")
    me.patch("internal/settings/password", {"value": NEW, "sudo_password": PASSWORD}).expect(200)


def test_a_wrong_sudo_password_is_403_and_throttled(me, user):
    for _ in range(5):
        me.patch("internal/settings/password", {"value": NEW, "sudo_password": "wrong"}).expect(403, "invalid_password")
    answer = me.patch("internal/settings/password", {"value": NEW, "sudo_password": PASSWORD})
    assert int(answer.expect(429, "too_many_attempts").headers["Retry-After"]) > 0


def test_re_authentication_makes_the_sign_in_recent(me, db, user):
    age_sign_in(db, user, hours=2)
    me.post("internal/sessions/current/reauthenticate", {"sudo_password": "wrong"}).expect(403, "invalid_password")
    me.post("internal/sessions/current/reauthenticate", {"sudo_password": PASSWORD}).expect(200)
    me.patch("internal/settings/password", {"value": NEW}).expect(200)


def test_what_re_authentication_was_asked_for_goes_through_under_its_key(me, db, user):
    age_sign_in(db, user, hours=2)
    change = {"path": "internal/settings/password", "json": {"value": NEW}, "headers": {"Idempotency-Key": "k"}}
    me.patch(**change).expect(403, "reauth_required")
    me.post("internal/sessions/current/reauthenticate", {"sudo_password": PASSWORD}).expect(200)
    me.patch(**change).expect(200)


@pytest.mark.parametrize(
    "path", ["internal/settings", "internal/profile", "internal/settings/flags/x", "internal/sessions"]
)
def test_nobody_gets_the_bare_401(client, path):
    answer = client.get(path).expect(401, "unauthenticated")
    assert answer.body.keys() == {"error", "request_id"}
