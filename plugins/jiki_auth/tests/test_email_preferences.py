"""The public preferences page and the one-click button (contract.md 2.3, 2.4, 3.14; RFC 8058)."""

from __future__ import annotations

import pytest

from jiki_auth.contracts import MailConsent
from jiki_auth.testing import make_user
from jiki_auth.unsubscribe_links import one_click_headers, unsubscribe_token
from jiki_core.contracts import Accounts, ask
from jiki_core.db import reading
from jiki_core.mail import causes_of

ALL_ON = dict.fromkeys(
    ("newsletters", "event_emails", "milestone_emails", "activity_emails", "onboarding_emails"), True
)


@pytest.fixture
def user(db):
    return make_user(db)


@pytest.fixture
def token(db, user):
    with db.app_context():
        return unsubscribe_token(user.id)


def test_the_page_shows_five_kinds(client, token, user):
    answer = client.get(f"external/email_preferences/{token}").expect(200)
    assert answer.body == {"email_preferences": {"email": user.email, **ALL_ON}, "meta": {"events": []}}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_client_sends_the_whole_object_back(client, token, user, method):
    shown = client.get(f"external/email_preferences/{token}").body["email_preferences"]
    answer = client.call(method, f"external/email_preferences/{token}", json={**shown, "newsletters": False})
    assert answer.expect(200).body["email_preferences"] == {"email": user.email, **ALL_ON, "newsletters": False}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"newsletters": "no"}, {"newsletters": [{"error": "invalid"}]}),
        ({"newsletters": None}, {"newsletters": [{"error": "blank"}]}),
        ({"admin": True}, {"admin": [{"error": "unknown_field"}]}),
    ],
)
def test_wrong_bodies(client, token, body, errors):
    answer = client.patch(f"external/email_preferences/{token}", body).expect(422, "validation_error")
    assert answer.error["errors"] == errors


def test_all_off_and_all_on(client, token, user):
    answer = client.post(f"external/email_preferences/{token}/unsubscribe_all").expect(200)
    assert answer.body["email_preferences"] == {"email": user.email, **dict.fromkeys(ALL_ON, False)}
    answer = client.post(f"external/email_preferences/{token}/subscribe_all").expect(200)
    assert answer.body["email_preferences"] == {"email": user.email, **ALL_ON}


@pytest.mark.parametrize(
    "token", ["junk", "1-", "1-AAAAAAAAAAAAAAAAAAAAAAAAAAA", "99999999999999999999-x", "é", "-", "0"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "external/email_preferences/{}"),
        ("PATCH", "external/email_preferences/{}"),
        ("POST", "external/email_preferences/{}/unsubscribe_all"),
        ("POST", "external/email_preferences/{}/subscribe_all"),
        ("POST", "auth/unsubscribe/{}"),
    ],
)
def test_invented_tokens(client, method, path, token):
    client.call(method, path.format(token)).expect(404, "invalid_unsubscribe_token")


def test_somebody_elses_id_needs_its_own_mac(client, db, token, user):
    other = make_user(db)
    stolen = token.replace(str(user.id), str(other.id), 1)
    client.get(f"external/email_preferences/{stolen}").expect(404, "invalid_unsubscribe_token")


@pytest.mark.parametrize(
    "options",
    [
        {"path": "?key=newsletters", "data": "List-Unsubscribe=One-Click"},
        {"path": "", "data": "key=newsletters"},
        {"path": "", "json": {"key": "newsletters"}},
    ],
)
def test_one_click_turns_one_kind_off(client, token, user, options):
    path = options.pop("path")
    if "data" in options:
        options["content_type"] = "application/x-www-form-urlencoded"
    answer = client.call("POST", f"auth/unsubscribe/{token}{path}", **options).expect(200)
    assert answer.body == {"unsubscribed": True, "email": user.email, "meta": {"events": []}}
    shown = client.get(f"external/email_preferences/{token}").body["email_preferences"]
    assert shown == {"email": user.email, **ALL_ON, "newsletters": False}


@pytest.mark.parametrize("query", ["", "?key=nonsense"])
def test_without_a_kind_all_but_account_mail_stops_and_subscribe_all_takes_it_back(
    client, db, token, user, query, newest
):
    client.post(f"auth/unsubscribe/{token}{query}").expect(200)
    with db.app_context():
        assert causes_of(reading(), user.email) == {"unsubscribe"}
        assert ask(Accounts).get_many([user.id])[0].may_receive is False
        assert ask(MailConsent).allows(user.id, "newsletters") is False
    client.post("auth/password", {"user": {"email": user.email}})
    assert newest(user.email, "new password")
    client.post(f"external/email_preferences/{token}/subscribe_all").expect(200)
    with db.app_context():
        assert causes_of(reading(), user.email) == frozenset()
        assert ask(MailConsent).allows(user.id, "newsletters") is True


def test_the_header_of_a_mail_leads_to_the_button(client, db, user):
    with db.app_context():
        headers = one_click_headers(user.id, "event_emails")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = headers["List-Unsubscribe"].strip("<>").removeprefix("http://localhost:3060")
    client.call("POST", path, data={"List-Unsubscribe": "One-Click"}).expect(200)
    with db.app_context():
        assert ask(MailConsent).allows(user.id, "event_emails") is False
        assert ask(MailConsent).allows(user.id, "newsletters") is True
        assert (
            ask(MailConsent)
            .unsubscribe_url(user.id, "newsletters")
            .startswith("http://localhost:3061/unsubscribe?token=")
        )
