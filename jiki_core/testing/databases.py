"""Databases of tests: one migrated template per set of plugins, and a clone of it for each worker."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import redis
from flask import Flask
from psycopg import sql
from sqlalchemy import Connection, text

from jiki_core.cable import cable_of
from jiki_core.db import db
from jiki_core.db.migration_sets import core_set, upgrade
from jiki_core.devserver.services import EmbeddedServices
from jiki_core.runtime import runtime_of
from jiki_core.schema_gate import plugin_sets

#: key of the advisory lock under which templates are built and cloned
_TEMPLATE_LOCK = 7_021_989


def worker_number() -> int:
    """0 for a plain run, 1… for xdist's gw0…"""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0


def cloned_database(services: EmbeddedServices, plugins: Sequence[str], make_app: Any) -> str:
    """URL of this worker's own copy of the template of these plugins. `make_app(url)` builds the app that migrates it."""
    key = hashlib.sha256(",".join(sorted(plugins)).encode()).hexdigest()[:8]
    template, own = f"jiki_template_{key}", f"jiki_test_{key}_{worker_number()}"
    with psycopg.connect(services.database_url_of("postgres"), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        try:
            if not _exists(connection, template):
                migrate(make_app(services.create_database(template)))
            if _exists(connection, own):
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(own)))
            return services.create_database(own, template=template)
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])


def migrate(app: Flask) -> None:
    """Brings the app's database to the heads of the core and its plugins."""
    with app.app_context():
        host = app.extensions["jiki.host"]
        upgrade(db.engine, [core_set(), *plugin_sets(host)])
        db.engine.dispose()


def empty_valkey(services: EmbeddedServices) -> None:
    """Of what earlier tests of this worker left there, such as jobs that were handed over and never run."""
    with redis.Redis.from_url(services.redis_url_of(worker_number())) as client:
        client.flushdb()


def dispose(app: Flask) -> None:
    """Ends what an app holds: the threads of its cable and its watcher, its connections to PostgreSQL and Valkey."""
    cable_of(app).stop()
    app.extensions["jiki.gate"].watcher.stop()
    with app.app_context():
        db.engine.dispose()
    runtime_of(app).redis.close()


def truncate_all(app: Flask) -> None:
    """Empties every table of the core and the plugins, signs of life of killed processes included.

    What migrations wrote (versions, records) stays.
    """
    with app.app_context(), db.engine.begin() as connection:
        listed = ", ".join([*_tables(connection), "core.processes"])
        connection.execute(text(f"truncate {listed} restart identity cascade"))


def row_counts(app: Flask) -> Mapping[str, int]:
    """Rows by table, of tables that are not empty; living processes are no leavings and do not count."""
    with app.app_context(), db.engine.connect() as connection:
        counts = {
            name: connection.execute(text(f"select count(*) from {name}")).scalar_one() for name in _tables(connection)
        }
    return {name: count for name, count in counts.items() if count}


def _tables(connection: Connection) -> list[str]:
    return list(
        connection.execute(
            text(
                "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema') "
                "and tablename not in ('alembic_version', 'plugin_records', 'processes')"
            )
        ).scalars()
    )


def _exists(connection: psycopg.Connection[Any], name: str) -> bool:
    return connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is not None
