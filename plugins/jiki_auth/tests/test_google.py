"""Sign-in with Google against an OpenID provider in a process of its own (contract.md 3.4 and section 1)."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jiki_auth.models import Session, User
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import reading
from jiki_core.testing import ApiClient, drain_outbox, wait_until

CLIENT_ID = "jiki.apps.example"
ISSUER = "https://accounts.example"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def provider(tmp_path_factory):
    """The provider's port."""
    port_file = tmp_path_factory.mktemp("openid") / "port"
    script = Path(__file__).with_name("outside_world.py")
    process = subprocess.Popen([sys.executable, str(script), str(port_file), CLIENT_ID, ISSUER])
    try:
        wait_until(port_file.exists, what="the OpenID provider")
        yield int(port_file.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def google_settings(provider):
    return {
        "JIKI_AUTH_GOOGLE_CLIENT_ID": CLIENT_ID,
        "JIKI_AUTH_GOOGLE_CLIENT_SECRET": "client secret",
        "JIKI_AUTH_GOOGLE_ISSUER": ISSUER,
        "JIKI_AUTH_GOOGLE_TOKEN_URL": f"http://127.0.0.1:{provider}/token",
        "JIKI_AUTH_GOOGLE_JWKS_URL": f"http://127.0.0.1:{provider}/certs",
    }


@pytest.fixture
def school(app_with, google_settings):
    return app_with(**google_settings)


@pytest.fixture
def visitor(school):
    return ApiClient(school)


def code(**claims):
    """A code for an id token with these claims; each is new, because a code works once."""
    known = {"sub": "google-ada", "email": "Ada@Example.test", "email_verified": True, "name": "Ada"}
    return json.dumps({**known, **claims, "nonce": next(_numbers)})


def test_a_stranger_gets_a_confirmed_account(visitor, school):
    answer = visitor.post("auth/google", {"code": code()}).expect(200)
    user = answer.body["user"]
    assert answer.body["status"] == "success"
    assert (user["email"], user["name"], user["handle"]) == ("ada@example.test", "Ada", "ada")
    assert (user["email_confirmed"], user["uses_oauth"]) == (True, True)
    visitor.get("internal/me").expect(200)
    again = ApiClient(school).post("auth/google", {"code": code()}).expect(200)
    assert again.body["user"]["handle"] == "ada"


def test_the_account_is_found_by_googles_id_whatever_the_address_is_now(visitor, school):
    visitor.post("auth/google", {"code": code()})
    moved = ApiClient(school).post("auth/google", {"code": code(email="ada@elsewhere.test")}).expect(200)
    assert moved.body["user"]["email"] == "ada@example.test"


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": ""},
        {"email": "no address"},
        {"sub": ""},
        {"aud": "another.client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"_key": "other"},
        {"_kid": "unknown"},
    ],
)
def test_only_what_google_vouches_for_gets_in(visitor, school, claims):
    visitor.post("auth/google", {"code": code(**claims)}).expect(401, "invalid_token")
    with school.app_context():
        assert reading().execute(select(func.count(User.id))).scalar_one() == 0


def test_a_code_works_once(visitor):
    once = code()
    visitor.post("auth/google", {"code": once}).expect(200)
    visitor.post("auth/google", {"code": once}).expect(401, "invalid_token")


def test_junk_is_no_code(visitor):
    visitor.post("auth/google", {"code": "junk"}).expect(401, "invalid_token")
    visitor.post("auth/google", {}).expect(422, "validation_error")


def test_a_confirmed_account_is_linked_and_keeps_its_password(visitor, school, mail_catcher):
    user = make_user(school)
    visitor.post("auth/google", {"code": code(sub="google-1", email=user.email)}).expect(200)
    body = {"user": {"email": user.email, "password": PASSWORD}}
    ApiClient(school).post("auth/login", body).expect(200)
    drain_outbox(school)
    assert [mail for mail in mail_catcher.messages() if mail.to == user.email and "linked" in mail.subject]


def test_whoever_made_an_unconfirmed_account_loses_it_to_the_address_owner(visitor, school):
    squatter = make_user(school, is_confirmed=False)
    squatting = signed_in(school, squatter)
    visitor.post("auth/google", {"code": code(email=squatter.email)}).expect(200)
    squatting.get("internal/me").expect(401)
    body = {"user": {"email": squatter.email, "password": PASSWORD}}
    ApiClient(school).post("auth/login", body).expect(401, "invalid_credentials")
    with school.app_context():
        assert reading().execute(select(func.count(Session.id))).scalar_one() == 1


def test_an_admin_is_asked_for_the_code(visitor, school):
    admin = make_user(school, is_admin=True)
    answer = visitor.post("auth/google", {"code": code(email=admin.email)}).expect(200)
    assert answer.body["status"] == "2fa_setup_required"
    visitor.get("internal/me").expect(401)


def test_attribution_may_be_null_or_hold_anything(visitor):
    visitor.post("auth/google", {"code": code(), "attribution": None}).expect(200)
    visitor.post("auth/google", {"code": code(), "attribution": {"utm_source": "x", "new_key": 1}}).expect(200)


def test_without_a_client_id_it_is_off(client):
    client.post("auth/google", {"code": code()}).expect(401, "invalid_token")


def test_a_provider_that_is_away_is_an_invalid_token(app_with, google_settings):
    app = app_with(**{**google_settings, "JIKI_AUTH_GOOGLE_TOKEN_URL": "http://127.0.0.1:1/token"})
    ApiClient(app).post("auth/google", {"code": code()}).expect(401, "invalid_token")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_routes_of_exercism_are_not_ours(client, method):
    client.call(method, "auth/exercism").expect(404, "not_found")
