"""Sign-up and confirmation (contract.md 2.3, 3.1, 3.2 and section 1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from jiki_auth.models import MailToken, User
from jiki_auth.testing import PASSWORD, make_user
from jiki_core.db import reading, unit_of_work
from jiki_core.testing import count_queries


def sign_up(client, email="ada@example.test", **fields):
    return client.post("auth/signup", {"user": {"email": email, "password": PASSWORD, **fields}})


def token_of(mail):
    return mail.links[0].partition("token=")[2]


def test_a_new_account_is_unconfirmed_and_gets_a_link(client, mails):
    answer = sign_up(client).expect(201)
    assert answer.body["user"] == {"email": "ada@example.test", "email_confirmed": False}
    assert answer.body["meta"] == {"events": []}
    mail = mails()[0]
    assert mail.to == "ada@example.test"
    assert mail.links[0].startswith("http://localhost:3061/auth/confirm-email?token=")


def test_the_link_confirms_and_signs_in(client, mails):
    sign_up(client)
    token = token_of(mails()[0])
    answer = client.get(f"auth/confirmation?confirmation_token={token}").expect(200)
    assert answer.body["status"] == "success"
    assert answer.body["user"]["email_confirmed"] is True
    client.get("internal/me").expect(200)
    assert mails()[0].subject == "Welcome to Jiki"


def test_the_link_works_again_right_after(client, mails):
    sign_up(client)
    token = token_of(mails()[0])
    client.get(f"auth/confirmation?confirmation_token={token}").expect(200)
    client.get(f"auth/confirmation?confirmation_token={token}").expect(200)


def test_an_unknown_link_is_refused(client):
    client.get("auth/confirmation?confirmation_token=junk").expect(422, "invalid_token")


def test_a_taken_address_gets_the_same_answer_and_its_owner_a_mail(client, db, mails):
    user = make_user(db)
    first = sign_up(client, "new@example.test").expect(201)
    second = sign_up(client, user.email).expect(201)
    assert {**first.body, "user": None} == {**second.body, "user": None}
    assert first.body["user"].keys() == second.body["user"].keys()
    assert "You already have an account" in {mail.subject for mail in mails() if mail.to == user.email}


def test_a_taken_handle_is_refused(client, db):
    user = make_user(db)
    answer = sign_up(client, handle=user.handle).expect(422, "validation_error")
    assert answer.error["errors"] == {"handle": [{"error": "taken"}]}


@pytest.mark.parametrize(
    ("handle", "fault"),
    [
        ("ab", {"error": "too_short", "count": 3}),
        ("x" * 31, {"error": "too_long", "count": 30}),
        ("no_underscores", {"error": "invalid", "value": "no_underscores"}),
    ],
)
def test_a_handle_that_will_not_do_says_why(client, handle, fault):
    answer = sign_up(client, handle=handle).expect(422, "validation_error")
    assert answer.error["errors"] == {"handle": [fault]}


def test_field_faults_are_told_together(client):
    answer = client.post("auth/signup", {"user": {"email": "no address", "password": "short"}}).expect(422)
    assert answer.error["errors"] == {
        "email": [{"error": "invalid"}],
        "password": [{"error": "too_short", "count": 8}],
    }


def test_a_handle_is_made_of_the_address(client, db, mails):
    sign_up(client, "john.doe@example.test")
    mails()
    token = token_of(mails()[-1])
    body = client.get(f"auth/confirmation?confirmation_token={token}").body
    assert body["user"]["handle"] == "john-doe"


def test_the_exact_body_of_the_web_client(client):
    answer = client.post(
        "auth/signup",
        {
            "user": {"email": "a@x.io", "password": PASSWORD, "password_confirmation": PASSWORD},
            "attribution": {
                "referrer": None,
                "landing_path": "/auth/signup",
                "utm_source": None,
                "utm_medium": None,
                "utm_campaign": None,
                "captured_at": "2026-11-22T08:20:05.663Z",
            },
            "cf_turnstile_response": "tok",
        },
    ).expect(201)
    assert answer.body == {"user": {"email": "a@x.io", "email_confirmed": False}, "meta": {"events": []}}


def test_attribution_may_be_null(client):
    client.post("auth/signup", {"user": {"email": "a@x.io", "password": PASSWORD}, "attribution": None}).expect(201)


def test_a_locale_that_is_not_served_is_dropped_silently(client, db):
    sign_up(client, locale="tlh").expect(201)
    with db.app_context():
        assert reading().execute(select(User.explicit_locale)).scalar_one() is None


def test_languages_and_country_are_kept_from_the_start(client, db):
    headers = {"Accept-Language": "de-AT,de;q=0.8,en;q=0.5", "CF-IPCountry": "AT"}
    client.post("auth/signup", {"user": {"email": "a@x.io", "password": PASSWORD}}, headers=headers).expect(201)
    with db.app_context():
        kept = reading().execute(select(User.language_tags, User.country_code)).one()
    assert tuple(kept) == (["de-AT", "de", "en"], "AT")


def on_accounts(log):
    """Statements on auth's own tables; what the outbox needs besides may vary with Valkey's speed."""
    return sum("auth." in statement for statement in log.statements)


def test_a_taken_address_costs_the_same_statements_and_leaves_nothing(client, db, mails):
    user = make_user(db)
    with count_queries(db) as for_new:
        sign_up(client, "fresh@example.test").expect(201)
    with count_queries(db) as for_taken:
        sign_up(client, user.email).expect(201)
    assert abs(on_accounts(for_new) - on_accounts(for_taken)) <= 2
    with db.app_context():
        assert reading().execute(select(func.count(User.id))).scalar_one() == 2
    assert not [mail for mail in mails() if "rehearsal" in mail.to]


def test_a_link_lives_seven_days_and_a_repeat_fifteen_minutes(client, db, mails):
    sign_up(client)
    token = token_of(mails()[0])
    client.get(f"auth/confirmation?confirmation_token={token}").expect(200)
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(MailToken).values(used_at=uow.now - timedelta(minutes=16)))
    client.get(f"auth/confirmation?confirmation_token={token}").expect(422, "invalid_token")


def test_an_old_link_is_refused(client, db, mails):
    sign_up(client)
    token = token_of(mails()[0])
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(MailToken).values(expires_at=uow.now))
    client.get(f"auth/confirmation?confirmation_token={token}").expect(422, "invalid_token")


def test_asking_for_the_link_again_tells_nothing(client, db, mails):
    unconfirmed, confirmed = make_user(db, is_confirmed=False), make_user(db)
    mails()
    for email in (unconfirmed.email, confirmed.email, "nobody@example.test"):
        answer = client.post("auth/confirmation", {"user": {"email": email}}).expect(200)
        assert answer.body == {"user": {"email": email}, "meta": {"events": []}}
    assert {mail.to for mail in mails() if mail.subject == "Confirm your address"} == {unconfirmed.email}
