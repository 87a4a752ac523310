"""Factories for tests of auth and of plugins that require it; they go through the commands."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import cast

from flask import Flask

from jiki_auth.commands.create_user import create_user
from jiki_auth.commands.sign_in import Visitor, open_session
from jiki_auth.cookies import SESSION_COOKIE
from jiki_auth.models import SessionKind
from jiki_auth.settings import AuthSettings
from jiki_core.db import unit_of_work
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient

PASSWORD = "maple sundial 41"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class SampleUser:
    """An account made for a test."""

    id: int
    email: str
    handle: str
    password: str = PASSWORD


def make_user(
    app: Flask, *, is_confirmed: bool = True, is_admin: bool = False, handle: str | None = None
) -> SampleUser:
    """A new account, confirmed unless told otherwise."""
    number = next(_numbers)
    email, name = f"learner{number}@example.test", handle or f"learner-{number}"
    settings = cast(AuthSettings, runtime_of(app).plugin_settings["auth"])
    with app.app_context(), unit_of_work() as uow:
        user_id = create_user(
            uow, email, PASSWORD, settings=settings, is_confirmed=is_confirmed, is_admin=is_admin, handle=name
        )
    return SampleUser(user_id, email, name)


def signed_in(app: Flask, user: SampleUser | None = None) -> ApiClient:
    """A client with the session cookie of `user`, or of a new one; admins too, as if their code had been right."""
    known = user or make_user(app)
    client = ApiClient(app)
    settings = cast(AuthSettings, runtime_of(app).plugin_settings["auth"])
    with app.app_context(), unit_of_work() as uow:
        opened = open_session(uow, known.id, SessionKind.COOKIE, Visitor("127.0.0.1", "tests"), settings)
    client.http.set_cookie(SESSION_COOKIE, f"{opened.id.hex}.{opened.secret}")
    return client
