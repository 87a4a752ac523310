"""Changing an address: the new one confirms, the old one is told and can undo it (contract.md section 1, 3.2)."""

from __future__ import annotations

import pytest

from jiki_auth.testing import PASSWORD, make_user, signed_in

from .conftest import token_in

NEW = "countess@example.test"


@pytest.fixture
def user(db):
    return make_user(db)


@pytest.fixture
def me(db, user):
    client = signed_in(db, user)
    client.patch("internal/settings/email", {"value": f" {NEW.upper()} "}).expect(200)
    return client


def login(client, email, status):
    client.post("auth/login", {"user": {"email": email, "password": PASSWORD}}).expect(status)


def undo_path(newest, user):
    url = newest(user.email, "about to change").links[0]
    assert url.startswith("http://localhost:3060/api/v1/auth/email_change/")
    return url.removeprefix("http://localhost:3060")


def test_the_new_address_is_parked(me, user, client):
    settings = me.get("internal/settings").body["settings"]
    assert (settings["email"], settings["unconfirmed_email"]) == (user.email, NEW)
    login(client, user.email, 200)
    login(client, NEW, 401)


def test_the_link_to_the_new_address_puts_it_in_force_and_ends_other_sessions(me, user, client, newest):
    mail = newest(NEW, "Confirm your new address")
    assert mail.links[0].startswith("http://localhost:3061/auth/confirm-email?token=")
    answer = client.get(f"auth/confirmation?confirmation_token={token_in(mail)}").expect(200)
    assert answer.body["user"]["email"] == NEW
    client.get("internal/me").expect(200)
    me.get("internal/me").expect(401)
    assert newest(user.email, "address was changed")
    settings = client.get("internal/settings").body["settings"]
    assert (settings["email"], settings["unconfirmed_email"]) == (NEW, None)


def test_the_old_address_withdraws_it(me, user):
    settings = me.patch("internal/settings/email", {"value": user.email}).expect(200).body["settings"]
    assert settings["unconfirmed_email"] is None


def test_a_withdrawn_change_cannot_be_confirmed(me, user, client, newest):
    token = token_in(newest(NEW))
    me.patch("internal/settings/email", {"value": user.email})
    client.get(f"auth/confirmation?confirmation_token={token}").expect(422, "invalid_token")


def test_an_address_taken_meanwhile_cannot_be_confirmed(me, client, newest):
    token = token_in(newest(NEW))
    client.post("auth/signup", {"user": {"email": NEW, "password": PASSWORD}}).expect(201)
    client.get(f"auth/confirmation?confirmation_token={token}").expect(422, "invalid_token")


def test_a_taken_address_is_told_and_looking_up_many_is_not_possible(me, db):
    other = make_user(db)
    for _ in range(9):
        answer = me.patch("internal/settings/email", {"value": other.email}).expect(422, "email_update_failed")
        assert answer.error["errors"] == {"email": [{"error": "taken"}]}
    me.patch("internal/settings/email", {"value": other.email}).expect(429, "too_many_attempts")


def test_following_the_undo_link_alone_changes_nothing(me, user, client, newest):
    path = undo_path(newest, user)
    answer = client.get(path).expect(200)
    assert answer.response.mimetype == "text/html"
    assert '<form method="post">' in answer.response.get_data(as_text=True)
    assert me.get("internal/settings").body["settings"]["unconfirmed_email"] == NEW


def test_undoing_puts_the_old_address_back_and_everybody_out(me, user, client, newest):
    path = undo_path(newest, user)
    client.get(f"auth/confirmation?confirmation_token={token_in(newest(NEW))}").expect(200)
    answer = client.post(path).expect(303)
    assert answer.headers["Location"] == "http://localhost:3061/login"
    client.get("internal/me").expect(401)
    me.get("internal/me").expect(401)
    login(client, NEW, 401)
    assert newest(user.email, "new password")


def test_an_undo_link_works_once(me, user, client, newest):
    path = undo_path(newest, user)
    client.post(path).expect(303)
    client.post(path).expect(422, "invalid_token")


def test_after_an_undo_the_new_address_cannot_be_confirmed(me, user, client, newest):
    token, path = token_in(newest(NEW)), undo_path(newest, user)
    client.post(path).expect(303)
    client.get(f"auth/confirmation?confirmation_token={token}").expect(422, "invalid_token")
