"""Canaries: secrets sent to every route of every plugin, right and wrong, and nowhere found afterwards (trust.md 1.5).

Looked through: every table, every key of Valkey, and every line that the process logged. The ways to be *given* a secret
(links in mails, tokens, seeds, keys) are walked in the tests of auth.
"""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

import pytest
from flask import Flask

from jiki_auth.testing import make_user, signed_in
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient, drain_outbox
from tests.security.operations import Operation, example, operations

CANARY = "canary7secret"
#: members of bodies and queries that are secrets, wherever they appear
SECRET_NAMES = frozenset(
    {
        "password",
        "password_confirmation",
        "sudo_password",
        "token",
        "refresh_token",
        "reset_password_token",
        "confirmation_token",
        "otp_code",
        "cf_turnstile_response",
        "signature",
    }
)
#: how a secret could be written down
SPELLINGS = (
    CANARY,
    CANARY.upper(),
    CANARY.encode().hex(),
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the process logs from INFO up, formatted as in production."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers = [handler for handler in root.handlers if handler.get_name() == "jiki"]
    kept, level = [handler.stream for handler in handlers], root.level  # type: ignore[attr-defined]  # ours writes to a stream
    for handler in handlers:
        handler.stream = stream  # type: ignore[attr-defined]  # ours writes to a stream
    root.setLevel("INFO")
    with redirect_stderr(stream):
        yield stream
    for handler, before in zip(handlers, kept, strict=True):
        handler.stream = before  # type: ignore[attr-defined]  # ours writes to a stream
    root.setLevel(level)


def with_canaries(value: Any) -> Any:
    """The same body, its secrets replaced, and with an address that can sign up."""
    if isinstance(value, dict):
        known = {**dict.fromkeys(SECRET_NAMES, CANARY), "email": "bird@example.test", "handle": "bird"}
        return {name: known.get(name) or with_canaries(one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_canaries(one) for one in value]
    return value


def secrets_in(value: Any) -> int:
    if isinstance(value, dict):
        return sum(name in SECRET_NAMES or bool(secrets_in(one)) for name, one in value.items())
    return sum(map(secrets_in, value)) if isinstance(value, list) else 0


def everything_kept(app: Flask) -> str:
    """Every value of every table, as text, and every key and value of Valkey."""
    connection = app.extensions["jiki.pinned_connection"]
    tables = connection.exec_driver_sql(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
        "where schemaname not in ('pg_catalog', 'information_schema')"
    ).scalars()
    rows = [
        text for name in list(tables) for text in connection.exec_driver_sql(f"select t::text from {name} t").scalars()
    ]
    client = runtime_of(app).redis
    values = [
        repr((key, client.get(key) if client.type(key) == b"string" else client.dump(key))) for key in client.keys("*")
    ]
    return "\n".join([*rows, *values])


def found_in(text: str) -> list[str]:
    """What stands around each canary."""
    return [
        text[max(0, match.start() - 120) : match.end() + 60]
        for match in re.finditer("|".join(map(re.escape, SPELLINGS)), text)
    ]


def send_everywhere(app: Flask) -> int:
    """Calls each operation as a stranger with bad credentials, as a learner and as an admin; returns how many bodies had
    secrets in them."""
    callers = [
        ApiClient(app, {"Authorization": f"Bearer {CANARY}"}),
        ApiClient(app, {"Authorization": f"Bearer jk_test_{CANARY}"}),
        ApiClient(app, {"Authorization": f"Basic {CANARY}", "Cookie": f"jiki_session={CANARY}; jiki_otp={CANARY}"}),
        signed_in(app),
        signed_in(app, make_user(app, is_admin=True)),
    ]
    sent = 0
    for operation in operations(app):
        body = with_canaries(example(operation.body)) if operation.body is not None else None
        sent += secrets_in(body) > 0
        for caller in callers:
            _call(caller, operation, body)
    return sent


def _call(caller: ApiClient, operation: Operation, body: Any) -> None:
    path = operation.path(CANARY if "token" in {name for name, _ in operation.variables} else "1")
    query = "&".join(f"{name}={CANARY}" for name in sorted(SECRET_NAMES))
    caller.call(operation.method, f"{path}?{query}", json=body)


def test_no_secret_that_is_sent_is_kept_or_logged(db: Flask, logged: io.StringIO):
    assert send_everywhere(db) >= 8, "sign-up, sign-in, reset, tokens, codes and more take secrets"
    waiting = everything_kept(db)  # what jobs will read
    drain_outbox(db)
    kept, told = waiting + everything_kept(db), logged.getvalue()
    assert "bird@example.test" in kept, "the sign-up with the canary as its password was taken"
    assert len(kept) > 10_000
    assert '"route"' in told
    assert found_in(kept) == []
    assert found_in(told) == []


def test_the_search_finds_what_is_there():
    assert all(found_in(f"before {spelling} after") for spelling in SPELLINGS)
    assert found_in("nothing") == []
