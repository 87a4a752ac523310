"""No secret lies readable in the database, in Valkey or in a log, whatever was done (trust.md 1.1, 1.5)."""

from __future__ import annotations

import io
import logging
import re
from contextlib import redirect_stderr

import pytest

from jiki_auth.settings import AuthSettings
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient, drain_outbox

from .conftest import code_of, seed_of, token_in

NEW_PASSWORD = "violet anchor 22"


@pytest.fixture
def logged():
    """What the process logs, formatted as in production."""
    stream = io.StringIO()
    root = logging.getLogger()
    kept = [(handler, handler.stream) for handler in root.handlers if handler.get_name() == "jiki"]
    level = root.level
    for handler, _ in kept:
        handler.stream = stream
    root.setLevel("INFO")  # below, the test's own mail server writes down whole mails
    with redirect_stderr(stream):
        yield stream
    for handler, before in kept:
        handler.stream = before
    root.setLevel(level)


def everything_stored(app):
    """Every value of every table, as text, and every key and value of Valkey."""
    with app.app_context():
        connection = app.extensions["jiki.pinned_connection"]
        names = connection.exec_driver_sql(
            "select schemaname || '.' || tablename from pg_tables where schemaname in ('auth', 'core')"
        ).scalars()
        rows = [
            text
            for name in list(names)
            for text in connection.exec_driver_sql(f"select t::text from {name} t").scalars()
        ]
    client = runtime_of(app).redis
    values = []
    for key in client.keys("*"):
        kind = client.type(key)
        values.append(repr(key))
        values.append(repr(client.get(key) if kind == b"string" else client.dump(key)))
    return "\n".join([*rows, *values])


def all_that_can_be_done(app, mails):
    """Uses every way to get a secret; returns them by name."""
    client, user = ApiClient(app), make_user(app)
    secrets = {"password": PASSWORD, "new password": NEW_PASSWORD}

    def mailed(to, subject):
        found = next(mail for mail in mails() if mail.to == to and subject in mail.subject)
        return token_in(found) if "token=" in found.links[0] else found.links[0].rpartition("/")[2]

    client.post("auth/signup", {"user": {"email": "canary@example.test", "password": PASSWORD}}).expect(201)
    secrets["confirmation token"] = mailed("canary@example.test", "Confirm")
    client.get(f"auth/confirmation?confirmation_token={secrets['confirmation token']}").expect(200)
    secrets["session cookie"] = client.http.get_cookie("jiki_session").value.partition(".")[2]
    client.post("auth/password", {"user": {"email": user.email}}).expect(200)
    secrets["reset token"] = mailed(user.email, "new password")
    body = {"reset_password_token": secrets["reset token"], "password": NEW_PASSWORD}
    client.patch("auth/password", {"user": body}).expect(200)
    pair = client.post("auth/token", {"email": user.email, "password": NEW_PASSWORD}).expect(200).body
    secrets["access token"], secrets["refresh token"] = pair["access_token"], pair["refresh_token"]
    secrets["access token's signature"] = pair["access_token"].rpartition(".")[2]
    signed = signed_in(app, user)
    key = signed.post("internal/api_keys", {"name": "CI", "scopes": ["auth.read_own_account"]}).expect(201).body
    secrets["API key"] = key["api_key"]["key"].rpartition("_")[2]
    ApiClient(app, {"Authorization": f"Bearer {key['api_key']['key']}"}).get("internal/me").expect(200)
    setup = signed.post("internal/settings/two_factor").expect(200).body
    secrets["seed"] = setup["secret"]
    seed = seed_of(setup["provisioning_uri"])
    codes = signed.post("internal/settings/two_factor/confirm", {"otp_code": code_of(seed)}).expect(200).body
    secrets["recovery code"] = codes["recovery_codes"][0].partition("-")[2]
    client.post("auth/login", {"user": {"email": user.email, "password": NEW_PASSWORD}}).expect(200)
    secrets["otp cookie"] = client.http.get_cookie("jiki_otp").value.partition(".")[2]
    client.post("auth/verify-2fa", {"otp_code": code_of(seed, steps_away=1)}).expect(200)
    signed.patch("internal/settings/email", {"value": "moved@example.test"}).expect(200)
    secrets["change token"] = mailed("moved@example.test", "new address")
    secrets["undo token"] = mailed(user.email, "about to change")
    signed.post("auth/account_deletion/request").expect(200)
    secrets["deletion token"] = mailed(user.email, "Delete")
    secrets["wrong password"] = "canary wrong password 7"
    client.post("auth/login", {"user": {"email": user.email, "password": secrets["wrong password"]}}).expect(401)
    client.post("auth/token/refresh", {"refresh_token": secrets["refresh token"] + "x"}).expect(401)
    ApiClient(app, {"Authorization": f"Bearer {pair['access_token']}x"}).get("internal/me").expect(401)
    return secrets


def test_no_secret_is_stored_or_logged(db, mails, logged):
    secrets = all_that_can_be_done(db, mails)
    waiting = everything_stored(db)  # with mails in the outbox
    drain_outbox(db)
    stored, told = waiting + everything_stored(db), logged.getvalue()
    assert len(stored) > 10_000
    assert '"request"' in told or "request" in told
    assert {name for name, secret in secrets.items() if secret in stored or secret.encode().hex() in stored} == set()
    assert {name for name, secret in secrets.items() if secret in told} == set()


def test_hashes_are_argon2id(db):
    make_user(db)
    assert re.search(r"\$argon2id\$v=19\$m=\d+,t=\d+,p=1\$", everything_stored(db))


def test_defaults_keep_owasps_floor():
    settings = AuthSettings()
    assert (settings.argon2_memory_kib, settings.argon2_iterations) >= (19_456, 2)
