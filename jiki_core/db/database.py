"""The database connection of an app: one pool, read-only AUTOCOMMIT sessions, and the engine that units write through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from jiki_core.configuration import CoreSettings
from jiki_core.db import statement_costs as statement_costs  # listens to all engines
from jiki_core.db.model import Model


class WriteOutsideUnitOfWork(RuntimeError):
    """Something was about to be written by a session that only reads."""


class ReadSession(FlaskSession):
    """`db.session`: plain reads in AUTOCOMMIT, so that no read keeps a transaction open (performance.md 14)."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        pinned = pinned_connection()
        return pinned if pinned is not None else _reading_engine()


db = SQLAlchemy(
    model_class=Model,
    session_options={
        "class_": ReadSession,
        "autoflush": False,
        # matters only on a pinned connection: closing a reader must not undo what a unit wrote after its first read
        "join_transaction_mode": "rollback_only",
    },
)


@event.listens_for(ReadSession, "before_flush")
def _refuse_flush(session: ReadSession, _context: object, _instances: object) -> None:
    if session.new or session.dirty or session.deleted:
        changed = next(iter((*session.new, *session.dirty, *session.deleted)))
        raise WriteOutsideUnitOfWork(
            f"a {type(changed).__name__} was changed outside a unit of work; "
            "open one with `with unit_of_work() as uow:` and write through uow.session"
        )


def _reading_engine() -> Engine:
    """One engine object for all reads of an app: a session takes a connection of its own for each engine it meets."""
    kept: tuple[Engine, Engine] | None = current_app.extensions.get("jiki.reading_engine")
    if kept is None or kept[0] is not db.engine:
        kept = db.engine, db.engine.execution_options(isolation_level="AUTOCOMMIT")
        current_app.extensions["jiki.reading_engine"] = kept
    return kept[1]


def reading() -> Session:
    """The session that reads go through: the open unit's, so that it sees its own writes, else the AUTOCOMMIT one."""
    from jiki_core.db.unit_of_work import current_unit  # the unit is built on this module

    unit = current_unit()
    return unit.session if unit is not None else db.session()


def release_reader() -> None:
    """Gives back the connection of this context's reader before a unit takes one: threads are as many as connections, so
    a thread that held two would wait for others that wait for it."""
    if pinned_connection() is None and db.session.registry.has():
        db.session().close()


def release_connection() -> None:
    """Gives the reads' connection back before something slow that needs none: a call outside, a password hash.

    The next read takes one again. Within a unit of work, whose transaction needs its connection, nothing happens.
    """
    session = reading()
    if session is db.session():
        session.close()


@contextmanager
def autocommit() -> Iterator[Connection]:
    """A connection on which each statement is a transaction of its own, for bookkeeping that is one statement."""
    release_reader()
    pinned = pinned_connection()
    if pinned is not None:
        yield pinned
        return
    with _reading_engine().connect() as connection:
        yield connection


def writing_bind() -> Engine | Connection:
    """What a unit of work's session is bound to."""
    pinned = pinned_connection()
    return pinned if pinned is not None else db.engine


def pinned_connection() -> Connection | None:
    """The one connection that every session of this app uses, when a test holds everything in an outer transaction."""
    pinned: Connection | None = current_app.extensions.get("jiki.pinned_connection")
    return pinned


def init_database(app: Flask, settings: CoreSettings) -> None:
    """Configures the pool; connects to nothing."""
    options = " ".join(
        f"-c {name}={value}"
        for name, value in {
            "search_path": "public",
            "timezone": "UTC",
            "statement_timeout": settings.statement_timeout_ms,
            "lock_timeout": 4_000,
            "idle_in_transaction_session_timeout": 60_000,
        }.items()
    )
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": 1.0,
        "pool_recycle": 1_800,
        "connect_args": {"options": options, "connect_timeout": 3, "application_name": "jiki"},
        "json_serializer": _dump_json,
        "json_deserializer": orjson.loads,
    }
    db.init_app(app)


def _dump_json(value: Any) -> str:
    """orjson, or the standard library for whole numbers beyond 64 bits."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value)
