"""Idempotency keys on account security, where a refusal must leave its trace and a renewed sign-in must help."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import db, unit_of_work
from jiki_core.testing import ApiClient

KEY = {"Idempotency-Key": "k1"}


@pytest.fixture
def somebody(committed_db: Flask) -> ApiClient:
    """Signed in an hour ago."""
    client = signed_in(committed_db, make_user(committed_db))
    with committed_db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("update auth.sessions set authenticated_at = now() - interval '1 hour'"))
    return client


def rows(app: Flask, statement: str) -> list[Any]:
    with app.app_context(), db.engine.connect() as connection:
        return list(connection.execute(text(statement)).all())


def test_a_wrong_password_leaves_its_trace_whether_or_not_a_key_comes_with_it(committed_db, somebody):
    for headers in ({}, KEY):
        somebody.patch(
            "internal/settings/password", {"value": "copper lantern 77", "sudo_password": "wrong"}, headers=headers
        ).expect(403, "invalid_password")
    actions = rows(committed_db, "select action, outcome from core.audit_events where action like 'reauth%'")
    assert [tuple(row) for row in actions] == [("reauthentication:refused", "refused")] * 2


def test_the_same_request_acts_once_the_sign_in_was_renewed(committed_db, somebody):
    def make_key():
        return somebody.post("internal/api_keys", {"name": "CI", "scopes": ["learning.learn"]}, headers=KEY)

    make_key().expect(403, "reauth_required")
    assert rows(committed_db, "select 1 from core.idempotency_keys") == []
    somebody.post("internal/sessions/current/reauthenticate", {"sudo_password": PASSWORD}).expect(200)
    first, again = make_key().expect(201), make_key().expect(201)
    assert again.body == first.body
    assert again.headers["Idempotency-Replayed"] == "true"
