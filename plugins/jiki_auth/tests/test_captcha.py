"""The captcha, verified over HTTP (contract.md section 1, 3.6)."""

from __future__ import annotations

import pytest

from jiki_auth.captcha import _outages
from jiki_auth.testing import PASSWORD, make_user
from jiki_core.testing import ApiClient

from .outside_world import as_json, serving


@pytest.fixture
def verifier():
    """A verifier that takes the answer "human"; yields (URL, what it was asked)."""
    asked = []

    def answer(path, form):
        asked.append(form)
        return as_json(200, {"success": form["response"] == "human" and form["secret"] == "captcha secret"})

    with serving(answer) as port:
        yield f"http://127.0.0.1:{port}/siteverify", asked


@pytest.fixture
def guarded(app_with, verifier):
    return app_with(JIKI_AUTH_TURNSTILE_SECRET="captcha secret", JIKI_AUTH_TURNSTILE_URL=verifier[0])


def bodies(user):
    return {
        "auth/login": {"user": {"email": user.email, "password": PASSWORD}},
        "auth/signup": {"user": {"email": "new@example.test", "password": PASSWORD}},
        "auth/password": {"user": {"email": user.email}},
    }


@pytest.mark.parametrize("path", ["auth/login", "auth/signup", "auth/password"])
def test_a_persons_answer_passes_and_others_do_not(guarded, verifier, path):
    client, body = ApiClient(guarded), bodies(make_user(guarded))[path]
    for refused in (
        {},
        {"cf_turnstile_response": None},
        {"cf_turnstile_response": "robot"},
        {"cf_turnstile_response": 7},
    ):
        client.post(path, {**body, **refused}).expect(403, "invalid_captcha")
    assert client.post(path, {**body, "cf_turnstile_response": "human"}).status in (200, 201)
    assert verifier[1][-1] == {"secret": "captcha secret", "response": "human", "remoteip": "127.0.0.1"}


def test_it_is_checked_before_anything_else(guarded):
    ApiClient(guarded).post("auth/login", {"nonsense": True}).expect(403, "invalid_captcha")


def test_a_missing_answer_is_not_even_sent(guarded, verifier):
    ApiClient(guarded).post("auth/login", {}).expect(403, "invalid_captcha")
    assert verifier[1] == []


@pytest.mark.parametrize("outage", ["closed port", "500", "no JSON"])
def test_an_outage_lets_people_in_and_is_counted(app_with, outage):
    told = {"500": as_json(500, {}), "no JSON": (200, "text/html", b"<html>"), "closed port": None}[outage]
    with serving(lambda path, form: told) as port:
        url = "http://127.0.0.1:1/" if told is None else f"http://127.0.0.1:{port}/"
        app = app_with(JIKI_AUTH_TURNSTILE_SECRET="captcha secret", JIKI_AUTH_TURNSTILE_URL=url)
        before = _outages._value.get()
        user = make_user(app)
        body = {**bodies(user)["auth/login"], "cf_turnstile_response": "robot"}
        ApiClient(app).post("auth/login", body).expect(200)
        ApiClient(app).post("auth/login", body).expect(200)
        assert _outages._value.get() == before + 2


def test_without_a_secret_every_answer_passes(client, db):
    client.post("auth/login", bodies(make_user(db))["auth/login"]).expect(200)
