"""Deleting an account by mail (contract.md 2.3, 3.13)."""

from __future__ import annotations

import time

import jwt
import pytest
from sqlalchemy import func, select

from jiki_auth.contracts import AccountDeletion
from jiki_auth.models import Session, User
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.configuration import derived_key
from jiki_core.contracts.binding import BoundProvider
from jiki_core.db import reading
from jiki_core.runtime import runtime_of

from .conftest import set_cookies, token_in


@pytest.fixture
def user(db):
    return make_user(db)


@pytest.fixture
def me(db, user):
    return signed_in(db, user)


@pytest.fixture
def token(me, user, newest):
    assert me.post("auth/account_deletion/request").expect(200).body == {"meta": {"events": []}}
    mail = newest(user.email, "Delete your account")
    assert mail.links[0].startswith("http://localhost:3061/delete-account/confirm?token=")
    return token_in(mail)


def rows(app):
    with app.app_context():
        return (
            reading()
            .execute(
                select(func.count(User.id.distinct()), func.count(Session.id.distinct()))
                .select_from(User)
                .outerjoin(Session)
            )
            .one()
        )


def forged(app, **claims):
    key = derived_key(runtime_of(app).settings, "account-deletion")
    return jwt.encode({"sub": "1", "purpose": "account_deletion", "exp": time.time() + 60, **claims}, key, "HS256")


def test_asking_needs_a_session(client):
    client.post("auth/account_deletion/request").expect(401, "unauthenticated")


def test_the_link_deletes_the_account_and_signs_out(me, token, user, client, db):
    answer = me.post("auth/account_deletion/confirm", {"token": token}).expect(200)
    assert answer.body == {"meta": {"events": []}}
    assert set_cookies(answer)[1] >= {"jiki_session", "jiki_user_id_development"}
    me.get("internal/me").expect(401)
    client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(401)
    assert tuple(rows(db)) == (0, 0)


def test_it_needs_no_session(client, token, db):
    client.post("auth/account_deletion/confirm", {"token": token}).expect(200)
    assert rows(db)[0] == 0


def test_a_link_of_somebody_who_is_gone_is_refused(client, token):
    client.post("auth/account_deletion/confirm", {"token": token}).expect(200)
    client.post("auth/account_deletion/confirm", {"token": token}).expect(422, "invalid_token")


@pytest.mark.parametrize(
    ("claims", "symbol"),
    [
        ({"purpose": "something_else"}, "invalid_token"),
        ({"exp": 1}, "token_expired"),
        ({"exp": 1, "purpose": "something_else"}, "invalid_token"),
        ({"sub": "999999999"}, "invalid_token"),
        ({"sub": "x"}, "invalid_token"),
        ({"exp": "soon"}, "invalid_token"),
    ],
)
def test_wrong_tokens(client, db, user, claims, symbol):
    token = forged(db, **{"sub": str(user.id), **claims})
    client.post("auth/account_deletion/confirm", {"token": token}).expect(422, symbol)


@pytest.mark.parametrize("token", ["junk", "a.b.c"])
def test_junk_is_refused(client, token):
    client.post("auth/account_deletion/confirm", {"token": token}).expect(422, "invalid_token")


def test_a_token_of_another_key_is_refused(client, user):
    token = jwt.encode({"sub": str(user.id), "purpose": "account_deletion", "exp": time.time() + 60}, "k" * 32, "HS256")
    client.post("auth/account_deletion/confirm", {"token": token}).expect(422, "invalid_token")


class Refuses:
    def prepare_deletion(self, user_id):
        raise RuntimeError("the subscription could not be cancelled")


class Agrees:
    def __init__(self):
        self.asked = []

    def prepare_deletion(self, user_id):
        self.asked.append(user_id)
        return True


def test_a_provider_that_fails_keeps_the_account(client, token, db, user, monkeypatch):
    monkeypatch.setitem(runtime_of(db).providers, AccountDeletion, (BoundProvider("auth", Refuses()),))
    client.post("auth/account_deletion/confirm", {"token": token}).expect(503, "stripe_error")
    assert rows(db)[0] == 1


def test_providers_are_asked_first(client, token, db, user, monkeypatch):
    agrees = Agrees()
    monkeypatch.setitem(runtime_of(db).providers, AccountDeletion, (BoundProvider("auth", agrees),))
    client.post("auth/account_deletion/confirm", {"token": token}).expect(200)
    assert agrees.asked == [user.id]
