"""What counts as an outage of the database, told from errors that psycopg and PostgreSQL really raise."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jiki_core.db import db
from jiki_core.db.commits import is_connection_lost

ENDED = "select pg_terminate_backend(pg_backend_pid())"


@pytest.mark.parametrize(
    ("statement", "value", "is_lost"),
    [
        (ENDED, None, True),
        ("select 1 / cast(:value as int)", 0, False),
        ("select cast(:value as text)", object(), False),  # psycopg sends nothing: it cannot adapt this
        ("select cast(:value as text)", "a\0b", False),  # nor this
        ("select * from core.no_such_table", None, False),
    ],
    ids=["the server ended the line", "refused by PostgreSQL", "a value of no type", "NUL in a text", "no such table"],
)
def test_an_outage_is_a_line_that_broke_and_nothing_else(app, statement, value, is_lost):
    with app.app_context(), pytest.raises(DBAPIError) as caught, db.engine.connect() as connection:
        connection.execute(text(statement), {} if value is None else {"value": value})
    assert is_connection_lost(caught.value) is is_lost
