"""Sign-in with Google against an OpenID provider in a process of its own (contract.md 3.4 and section 1)."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from sqlalchemy import func, select

from jiki_auth.models import Session, User
from jiki_auth.outbound import is_allowed_origin
from jiki_auth.settings import AuthSettings
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import reading
from jiki_core.testing import ApiClient, drain_outbox, wait_until

from .outside_world import serving

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


# -- the picture --------------------------------------------------------------------------------------------------------


def drawing():
    target = io.BytesIO()
    Image.new("RGB", (96, 96), "teal").save(target, "JPEG")
    return target.getvalue()


@pytest.fixture(scope="module")
def pictures():
    """A host of pictures: the address of each is its path; the paths that were asked for."""
    known, asked = {"/ada.jpg": drawing(), "/page.html": b"<html></html>"}, []

    def answer(path, _form):
        asked.append(path)
        return (200, "image/jpeg", known[path]) if path in known else (404, "text/plain", b"")

    with serving(answer) as port:
        yield SimpleNamespace(origin=f"http://127.0.0.1:{port}", asked=asked)


@pytest.fixture
def drawn_school(app_with, google_settings, pictures):
    return app_with(**google_settings, JIKI_AUTH_GOOGLE_PICTURE_ORIGINS=pictures.origin)


def avatar_of(app, picture):
    visitor = ApiClient(app)
    visitor.post("auth/google", {"code": code(picture=picture)}).expect(200)
    drain_outbox(app)
    return visitor.get("internal/me").expect(200).body["user"]["avatar_url"]


def test_a_new_account_gets_the_picture_drawn_anew(drawn_school, pictures):
    url = avatar_of(drawn_school, f"{pictures.origin}/ada.jpg")
    with drawn_school.test_client().get(url) as answer:
        assert Image.open(io.BytesIO(answer.data)).format == "WEBP"


@pytest.mark.parametrize("path", ["/page.html", "/missing.jpg"])
def test_a_picture_that_will_not_do_is_left_out(drawn_school, pictures, path):
    assert avatar_of(drawn_school, pictures.origin + path) is None


@pytest.mark.parametrize("picture", [7, "", "x" * 1_200, "http://169.254.169.254/latest", "file:///etc/hostname"])
def test_a_picture_from_elsewhere_is_not_even_asked_for(drawn_school, pictures, picture):
    before = len(pictures.asked)
    assert avatar_of(drawn_school, picture) is None
    assert len(pictures.asked) == before


def test_an_avatar_that_is_there_stays(drawn_school, pictures):
    user = make_user(drawn_school)
    client = signed_in(drawn_school, user)
    sent = {"avatar": (io.BytesIO(drawing()), "me.jpg")}
    own = client.call("PUT", "internal/profile/avatar", data=sent, content_type="multipart/form-data").expect(200).body
    claims = {"email": user.email, "sub": "google-own", "picture": f"{pictures.origin}/ada.jpg"}
    ApiClient(drawn_school).post("auth/google", {"code": code(**claims)}).expect(200)
    drain_outbox(drawn_school)
    assert client.get("internal/me").body["user"]["avatar_url"] == own["profile"]["avatar_url"]


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://lh3.googleusercontent.com/a/photo=s96-c", True),
        ("https://LH3.googleusercontent.com/a", True),
        ("http://lh3.googleusercontent.com/a", False),
        ("https://googleusercontent.com/a", False),
        ("https://a.b.googleusercontent.com/a", False),
        ("https://lh3.googleusercontent.com.evil.example/a", False),
        ("https://lh3.googleusercontent.com@evil.example/a", False),
        ("https://evil.example@lh3.googleusercontent.com/a", False),
        ("https://lh3.googleusercontent.com:8443/a", False),
        ("//lh3.googleusercontent.com/a", False),
        ("https://[lh3.googleusercontent.com/a", False),
        ("", False),
    ],
)
def test_where_pictures_may_come_from(url, is_allowed):
    assert is_allowed_origin(url, AuthSettings().google_picture_origins) is is_allowed
