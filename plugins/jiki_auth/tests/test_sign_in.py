"""Sign-in, sign-out and the two cookies (contract.md 2.3, 3.2, 6.1)."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from jiki_auth import passwords
from jiki_auth.models import User
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import reading, unit_of_work
from jiki_core.testing import ApiClient

from .conftest import set_cookies

WRONG = "a wrong password 99"


def login(client, email, password=PASSWORD, **more):
    return client.post("auth/login", {"user": {"email": email, "password": password}, **more})


def test_a_right_password_signs_in(client, db):
    user = make_user(db)
    answer = login(client, user.email, cf_turnstile_response="tok").expect(200)
    assert answer.body["status"] == "success"
    assert answer.body["user"]["handle"] == user.handle
    assert answer.body["meta"] == {"events": []}
    assert client.get("internal/me").expect(200).body["user"] == answer.body["user"]


def test_the_cookies_are_what_the_client_needs(client, db):
    answer = login(client, make_user(db).email)
    session, presence = sorted(
        (text for text in answer.headers.getlist("Set-Cookie") if "Max-Age=0" not in text and "1970" not in text),
        key=lambda text: not text.startswith("jiki_session"),
    )
    assert session.startswith("jiki_session=")
    assert presence.startswith("jiki_user_id_development=")
    for cookie in (session, presence):
        assert "Path=/" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
    assert "Max-Age=2592000" in session
    assert "Domain" not in session


def test_wrong_passwords_and_unknown_addresses_look_alike(client, db):
    user = make_user(db)
    wrong = login(client, user.email, WRONG).expect(401, "invalid_credentials")
    unknown = login(client, "nobody@example.test", WRONG).expect(401, "invalid_credentials")
    assert {**wrong.body, "request_id": ""} == {**unknown.body, "request_id": ""}


def test_both_cost_one_hash(client, db, monkeypatch):
    hashed = []
    turn = passwords._turn
    monkeypatch.setattr(passwords, "_turn", lambda settings: hashed.append(settings) or turn(settings))
    login(client, make_user(db).email, WRONG)
    for_known = len(hashed) - 1  # one made the user
    login(client, "nobody@example.test", WRONG)
    assert (for_known, len(hashed) - 1 - for_known) == (1, 1)


def test_an_unconfirmed_account_is_told_only_with_the_right_password(client, db):
    user = make_user(db, is_confirmed=False)
    answer = login(client, user.email).expect(401, "unconfirmed")
    assert answer.error == {"type": "unconfirmed", "email": user.email}
    assert "meta" not in answer.body
    login(client, user.email, WRONG).expect(401, "invalid_credentials")


def test_the_address_is_taken_in_any_case(client, db):
    login(client, f"  {make_user(db).email.upper()} ").expect(200)


def test_signing_out_ends_the_session_and_both_cookies(client, db):
    login(client, make_user(db).email)
    cookie = client.http.get_cookie("jiki_session").value
    answer = client.delete("auth/logout").expect(204)
    assert not answer.response.data
    assert set_cookies(answer)[1] >= {"jiki_session", "jiki_user_id_development"}
    client.get("internal/me").expect(401, "unauthenticated")
    other = ApiClient(db)
    other.http.set_cookie("jiki_session", cookie)
    other.get("internal/me").expect(401, "unauthenticated")


def test_signing_out_without_a_session_is_401_and_takes_the_hint_away(client):
    client.http.set_cookie("jiki_user_id_development", "stale")
    answer = client.delete("auth/logout").expect(401, "unauthenticated")
    assert set_cookies(answer)[1] == {"jiki_user_id_development"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "internal/me", 401),
        ("GET", "internal/no_such_thing", 404),
        ("POST", "auth/login", 422),
        ("GET", "/health-check", 200),
        ("GET", "external/email_preferences/junk", 404),
    ],
)
def test_a_stale_hint_is_deleted_on_every_path(client, method, path, status):
    client.http.set_cookie("jiki_user_id_development", "stale")
    answer = client.call(method, path)
    assert answer.status == status
    assert "jiki_user_id_development" in set_cookies(answer)[1]


@pytest.mark.parametrize("path", ["internal/me", "internal/no_such_thing", "/health-check"])
def test_the_hint_is_set_on_every_path_for_who_is_signed_in(db, path):
    assert "jiki_user_id_development" in set_cookies(signed_in(db).get(path))[0]


@pytest.mark.parametrize("cookie", ["junk", "a.b", f"{'0' * 32}.secret", "é", "." * 500])
def test_a_bad_cookie_is_nobody(client, cookie):
    client.http.set_cookie("jiki_session", cookie)
    client.get("internal/me").expect(401, "unauthenticated")


def test_another_sessions_secret_does_not_fit(db):
    first, second = signed_in(db), signed_in(db)
    session_id = first.http.get_cookie("jiki_session").value.partition(".")[0]
    secret = second.http.get_cookie("jiki_session").value.partition(".")[2]
    first.http.set_cookie("jiki_session", f"{session_id}.{secret}")
    first.get("internal/me").expect(401, "unauthenticated")


def test_the_first_request_of_a_day_is_noted_once(db):
    client = signed_in(db)
    client.get("internal/me").expect(200)
    with db.app_context():
        user = reading().execute(select(User).execution_options(populate_existing=True)).scalar_one()
        assert user.last_active_on is not None


def test_languages_and_country_are_filled_in_once(db):
    user = make_user(db)
    client = signed_in(db, user)
    client.get("internal/me", headers={"Accept-Language": "pt-br, en;q=0.5, xx;q=0", "CF-IPCountry": "br"})
    client.get("internal/me", headers={"Accept-Language": "fr", "CF-IPCountry": "FR"})
    with db.app_context():
        kept = reading().execute(select(User.language_tags, User.country_code).where(User.id == user.id)).one()
    assert tuple(kept) == (["pt-BR", "en"], "BR")


def test_a_hash_of_old_parameters_is_renewed_at_sign_in(client, db):
    user = make_user(db)
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(User).where(User.id == user.id).values(password_hash=old))
    login(client, user.email).expect(200)
    with db.app_context():
        renewed = reading().execute(select(User.password_hash).where(User.id == user.id)).scalar_one()
    assert renewed.startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_a_new_device_is_told_by_mail_and_a_known_one_is_not(client, db, mails):
    user = make_user(db)
    for agent in ("Firefox", "Firefox", "Chrome"):
        client.post(
            "auth/login", {"user": {"email": user.email, "password": PASSWORD}}, headers={"User-Agent": agent}
        ).expect(200)
    told = [mail for mail in mails() if "new sign-in" in mail.subject]
    assert len(told) == 1
    assert "Chrome" in told[0].text


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"user": [{"error": "blank"}]}),
        ({"user": {}}, {"email": [{"error": "blank"}], "password": [{"error": "blank"}]}),
        ({"user": {"email": "", "password": None}}, {"email": [{"error": "blank"}], "password": [{"error": "blank"}]}),
        ({"user": {"email": 7, "password": "x"}}, {"email": [{"error": "invalid"}]}),
        ({"user": {"email": "a@b", "password": "x", "admin": True}}, {"admin": [{"error": "unknown_field"}]}),
    ],
)
def test_field_faults(client, body, fields):
    assert client.post("auth/login", body).expect(422, "validation_error").error["errors"] == fields
