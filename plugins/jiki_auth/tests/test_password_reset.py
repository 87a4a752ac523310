"""A forgotten password (contract.md 2.3, 3.5; trust.md 1.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from jiki_auth.models import MailToken
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import unit_of_work

from .conftest import token_in

NEW = "violet anchor 22"


def ask(client, email):
    return client.post("auth/password", {"user": {"email": email}, "cf_turnstile_response": "tok"})


def reset(client, token, password=NEW, confirmation=NEW, method="PATCH"):
    body = {"reset_password_token": token, "password": password, "password_confirmation": confirmation}
    return client.call(method, "auth/password", json={"user": body})


@pytest.fixture
def link(client, db, newest):
    """(user, token) of a link that was just mailed."""
    user = make_user(db)
    ask(client, user.email).expect(200)
    mail = newest(user.email, "new password")
    assert mail.links[0].startswith("http://localhost:3061/auth/reset-password?token=")
    return user, token_in(mail)


def test_the_answer_is_the_same_for_every_address(client, db, mails):
    user = make_user(db)
    known, unknown = ask(client, user.email).expect(200), ask(client, "nobody@example.test").expect(200)
    assert known.body == {"type": "password_reset_sent", "email": user.email, "meta": {"events": []}}
    assert unknown.body == {**known.body, "email": "nobody@example.test"}
    assert not [mail for mail in mails() if mail.to == "nobody@example.test"]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_link_sets_a_new_password_and_signs_nobody_in(client, link, method):
    user, token = link
    answer = reset(client, token, method=method).expect(200)
    assert answer.body == {"type": "password_reset_success", "meta": {"events": []}}
    client.get("internal/me").expect(401)
    client.post("auth/login", {"user": {"email": user.email, "password": NEW}}).expect(200)
    client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(401)


def test_the_link_works_once(client, link):
    reset(client, link[1]).expect(200)
    answer = reset(client, link[1]).expect(422, "invalid_token")
    assert answer.error["errors"] == {"reset_password_token": [{"error": "invalid"}]}


def test_signing_in_makes_the_link_useless(client, link):
    user, token = link
    client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(200)
    reset(client, token).expect(422, "invalid_token")


def test_every_session_of_the_account_ends(client, db, newest):
    user = make_user(db)
    session = signed_in(db, user)
    ask(client, user.email)
    reset(client, token_in(newest(user.email, "new password"))).expect(200)
    session.get("internal/me").expect(401)


def test_a_bad_password_is_told_and_the_link_survives(client, link):
    answer = reset(client, link[1], "short", "other").expect(422, "invalid_token")
    assert answer.error["errors"] == {
        "password": [{"error": "too_short", "count": 8}],
        "password_confirmation": [{"error": "confirmation"}],
    }
    reset(client, link[1]).expect(200)


@pytest.mark.parametrize("token", ["junk", "a" * 43, "é" * 20])
def test_invented_tokens_are_refused(client, token):
    reset(client, token).expect(422, "invalid_token")


def test_an_old_link_is_refused(client, db, link):
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(MailToken).values(expires_at=uow.now - timedelta(seconds=1)))
    reset(client, link[1]).expect(422, "invalid_token")


def test_a_reset_confirms_the_address_it_was_mailed_to(client, db, newest):
    user = make_user(db, is_confirmed=False)
    ask(client, user.email)
    reset(client, token_in(newest(user.email, "new password"))).expect(200)
    client.post("auth/login", {"user": {"email": user.email, "password": NEW}}).expect(200)


def test_the_owner_is_told(client, link, newest):
    reset(client, link[1])
    assert "password" in newest(link[0].email, "was changed").text
