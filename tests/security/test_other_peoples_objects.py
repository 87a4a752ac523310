"""With somebody else's id every route answers exactly as with an id that nobody has (trust.md 1.4, "IDOR").

The ids are whatever the database holds for a user, in any plugin's tables; the routes are whatever takes an id.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient
from tests.security.operations import Operation, example, operations


def ids_of(app: Flask, user_id: int) -> Iterator[str]:
    """Keys and uuids of all rows that belong to a user, in every table with a `user_id`."""
    connection = app.extensions["jiki.pinned_connection"]
    tables = connection.exec_driver_sql(
        "select table_schema || '.' || table_name, array_agg(column_name::text) from information_schema.columns "
        "where table_schema not in ('pg_catalog', 'information_schema') group by 1 "
        "having 'user_id' = any(array_agg(column_name::text))"
    ).all()
    for table, columns in tables:
        for column in {"id", "uuid", "selector"} & set(columns):
            yield from connection.exec_driver_sql(
                f"select {column}::text from {table} where user_id = {int(user_id)}"
            ).scalars()


def nobodys(text: str) -> str:
    """An id of the same kind that nobody has."""
    try:
        return str(uuid.uuid4()) if uuid.UUID(text) else text
    except ValueError:
        return "987654321012" if text.isdigit() else "Z" * len(text)


@pytest.fixture
def owner(db: Flask):
    """A user with a session, a key, an app with recovery codes and a notification."""
    user = make_user(db)
    client = signed_in(db, user)
    client.post("internal/api_keys", {"name": "CI", "scopes": ["auth.read_own_account"]}).expect(201)
    with db.app_context(), unit_of_work() as uow:
        uow.notify(user.id, "auth.example", {})
    return user, client


def answer_of(client: ApiClient, operation: Operation, value: str) -> tuple[int, Any]:
    body = example(operation.body, is_minimal=True) if operation.body is not None else None
    answer = client.call(operation.method, operation.path(value), json=body)
    told = dict(answer.body) if isinstance(answer.body, dict) else answer.body
    if isinstance(told, dict):
        told.pop("request_id", None)
    return answer.status, str(told).replace(value, "ID")


def by_id(app: Flask) -> list[Operation]:
    return [one for one in operations(app) if one.variables and one.audience in ("internal", "admin")]


def test_somebody_elses_id_is_like_nobodys(db: Flask, owner):
    user, client = owner
    stranger = signed_in(db)
    found = list(dict.fromkeys(ids_of(db, user.id)))
    assert len(found) >= 3
    told_apart = []
    for operation, value in itertools.product(by_id(db), found):
        runtime_of(db).redis.flushdb()  # limits must not answer instead of the route
        theirs, nobody = answer_of(stranger, operation, value), answer_of(stranger, operation, nobodys(value))
        if theirs != nobody:
            told_apart.append(f"{operation} with {value}: {theirs} but with nobody's id {nobody}")
    assert not told_apart
    client.get("internal/me").expect(200)
    assert list(dict.fromkeys(ids_of(db, user.id))) == found, "nothing of theirs was changed"


def test_the_owner_reaches_what_a_stranger_does_not(db: Flask, owner):
    """Otherwise the ids would prove nothing."""
    user, client = owner
    reached = {
        str(operation)
        for operation, value in itertools.product(by_id(db), list(ids_of(db, user.id)))
        if operation.method in ("PATCH", "POST") and answer_of(client, operation, value)[0] < 300
    }
    assert any("notifications" in text for text in reached)
    assert any("api_keys" in text for text in reached)
