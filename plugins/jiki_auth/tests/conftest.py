"""What tests of auth share: apps with other settings, links of mails, codes of authenticator apps."""

from __future__ import annotations

import base64
import contextlib
import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
from flask import Flask

from jiki_auth import totp
from jiki_core.db import db as database
from jiki_core.runtime import runtime_of


@contextlib.contextmanager
def held_in_transaction(app: Flask) -> Iterator[Flask]:
    """What the fixture `db` does, for an app with settings of its own."""
    with contextlib.suppress(redis.RedisError):  # some tests have none
        runtime_of(app).redis.flushdb()
    with app.app_context():
        engine = database.engine
    connection = engine.connect()
    transaction = connection.begin()
    app.extensions["jiki.pinned_connection"] = connection
    try:
        yield app
    finally:
        app.extensions.pop("jiki.pinned_connection", None)
        transaction.rollback()
        connection.close()


@pytest.fixture(scope="session")
def apps_by_settings(make_app):
    """One app per set of settings; building one takes half a second."""
    known = {}

    def find(settings):
        key = tuple(sorted(settings.items()))
        if key not in known:
            known[key] = make_app(settings=settings)
        return known[key]

    return find


@pytest.fixture
def app_with(apps_by_settings):
    """`app_with(JIKI_AUTH_…="…")`: an app with these settings, in a transaction that is rolled back."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(held_in_transaction(apps_by_settings(settings)))


@pytest.fixture
def newest(mails):
    """`newest(to, subject_part)`: the newest mail to somebody."""

    def find(to, subject=""):
        found = [mail for mail in mails() if mail.to == to and subject in mail.subject]
        assert found, f"no mail to {to} about {subject!r}; there are {[(m.to, m.subject) for m in mails()]}"
        return found[0]

    return find


def token_in(mail):
    """The token of a mail's first link."""
    return parse_qs(urlsplit(mail.links[0]).query)["token"][0]


def seed_of(provisioning_uri):
    """The seed that a QR code carries."""
    return base64.b32decode(parse_qs(urlsplit(provisioning_uri).query)["secret"][0])


def code_of(seed, *, steps_away=0):
    """What an authenticator app shows now, or `steps_away` half minutes from now."""
    return totp.code_at(seed, totp.step_of(time.time()) + steps_away)


def set_cookies(answer):
    """Names of the cookies an answer sets, and those it deletes."""
    headers = answer.headers.getlist("Set-Cookie")
    deleted = {text.partition("=")[0] for text in headers if re.search(r"Max-Age=0|01 Jan 1970", text)}
    return {text.partition("=")[0] for text in headers} - deleted, deleted
