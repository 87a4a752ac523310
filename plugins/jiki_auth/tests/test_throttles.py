"""How often secrets may be guessed (contract.md section 1, trust.md 1.1), with Valkey and without."""

from __future__ import annotations

import pytest

from jiki_auth.testing import PASSWORD, make_user
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient

from .conftest import token_in

WRONG = "a wrong password 99"


def login(client, email, password, address="203.0.113.1"):
    body = {"user": {"email": email, "password": password}}
    return client.post("auth/login", body, headers={"CF-Connecting-IP": address})


def guess_from_ten_addresses(client, email):
    for number in range(10):
        login(client, email, WRONG, f"203.0.113.{number}").expect(401, "invalid_credentials")


def test_ten_guesses_from_ten_addresses_throttle_the_account_for_the_right_password_too(client, db):
    user, other = make_user(db), make_user(db)
    guess_from_ten_addresses(client, user.email)
    answer = login(client, user.email, PASSWORD, "203.0.113.99").expect(429, "too_many_attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert answer.error == {"type": "too_many_attempts"}
    login(client, other.email, PASSWORD, "203.0.113.1").expect(200)


def test_an_unknown_address_is_throttled_the_same(client, db):
    guess_from_ten_addresses(client, "nobody@example.test")
    login(client, "nobody@example.test", WRONG).expect(429, "too_many_attempts")


def test_one_address_cannot_try_many_accounts(client, db):
    for number in range(50):
        login(client, f"user{number}@example.test", WRONG).expect(401)
    login(client, make_user(db).email, PASSWORD).expect(429, "too_many_attempts")
    login(client, make_user(db).email, PASSWORD, "203.0.113.2").expect(200)


def test_ipv6_visitors_count_by_their_network(client):
    for number in range(50):
        login(client, f"user{number}@example.test", WRONG, f"2001:db8:1:2::{number:x}").expect(401)
    login(client, "next@example.test", WRONG, "2001:db8:1:2:ffff::1").expect(429)
    login(client, "next@example.test", WRONG, "2001:db8:1:3::1").expect(401)


def test_successes_do_not_count(client, db):
    user = make_user(db)
    for _ in range(60):
        login(client, user.email, PASSWORD).expect(200)


def test_a_reset_stays_possible_and_frees_the_account(client, db, newest):
    user = make_user(db)
    guess_from_ten_addresses(client, user.email)
    client.post("auth/password", {"user": {"email": user.email}}).expect(200)
    token = token_in(newest(user.email, "new password"))
    body = {"reset_password_token": token, "password": "violet anchor 22", "password_confirmation": "violet anchor 22"}
    client.patch("auth/password", {"user": body}).expect(200)
    login(client, user.email, "violet anchor 22").expect(200)


def test_tokens_and_cookies_share_the_count(client, db):
    user = make_user(db)
    for _ in range(10):
        client.post("auth/token", {"email": user.email, "password": WRONG}).expect(401)
    login(client, user.email, PASSWORD, "203.0.113.50").expect(429)


def test_reset_mails_per_account_are_limited_without_telling(client, db, mails):
    user = make_user(db)
    for _ in range(8):
        client.post("auth/password", {"user": {"email": user.email}}).expect(200)
    assert len([mail for mail in mails() if mail.to == user.email and "new password" in mail.subject]) == 5


def test_reset_requests_of_one_address_are_limited(client):
    for number in range(20):
        client.post("auth/password", {"user": {"email": f"user{number}@example.test"}}).expect(200)
    client.post("auth/password", {"user": {"email": "next@example.test"}}).expect(429, "too_many_attempts")


def test_invented_reset_tokens_are_limited(client):
    body = {"user": {"reset_password_token": "junk", "password": PASSWORD, "password_confirmation": PASSWORD}}
    for _ in range(20):
        client.patch("auth/password", body).expect(422)
    client.patch("auth/password", body).expect(429, "too_many_attempts")


def test_sign_ups_of_one_address_are_limited(app_with):
    client = ApiClient(app_with(JIKI_AUTH_SIGN_UPS_PER_ADDRESS_PER_HOUR="3"))
    for number in range(3):
        client.post("auth/signup", {"user": {"email": f"new{number}@example.test", "password": PASSWORD}}).expect(201)
    client.post("auth/signup", {"user": {"email": "new4@example.test", "password": PASSWORD}}).expect(429)


@pytest.fixture
def without_valkey(app_with):
    """An app whose Valkey is a closed port; the limiter's counts are its own."""
    return app_with(REDIS_URL="redis://127.0.0.1:1/0")


def test_without_valkey_the_throttle_still_holds(without_valkey):
    client, user = ApiClient(without_valkey), make_user(without_valkey)
    guess_from_ten_addresses(client, user.email)
    login(client, user.email, PASSWORD, "203.0.113.99").expect(429, "too_many_attempts")
    login(client, make_user(without_valkey).email, PASSWORD).expect(200)


def test_nothing_that_names_a_person_lies_in_valkey(client, db):
    login(client, "someone@example.test", WRONG, "203.0.113.77").expect(401)
    keys = [key.decode() for key in runtime_of(db).redis.keys("*")]
    assert any("sign-in-account" in key for key in keys)
    assert not [key for key in keys if "someone" in key or "203.0.113" in key]
