"""The one Alembic environment of all sets: core, and each plugin. `./migrations` of a repository imports it.

`migration_sets.py` puts the set and a connection into `config.attributes`; the stock tool names a set with
`-x plugin=NAME`. The schema is created before the version table, which lives in it.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from jiki_core.db import batch_operations, index_operations
from jiki_core.db.model import Model

config = context.config
#: loaded for the operations that it gives to `op`
OPERATIONS = (batch_operations, index_operations)


def _set_name() -> str:
    return config.attributes.get("plugin") or context.get_x_argument(as_dictionary=True).get("plugin", "core")


def _belongs(schema: str) -> Any:
    def include_name(name: str | None, kind: str, _parents: Any) -> bool:
        return name == schema if kind == "schema" else True

    return include_name


def _run(connection: Connection) -> None:
    schema = _set_name()
    connection.execute(text(f'create schema if not exists "{schema}"'))
    connection.commit()  # each revision gets a transaction of its own, or none (autocommit_block)
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        version_table="alembic_version",
        version_table_schema=schema,
        include_schemas=True,
        include_name=_belongs(schema),
        include_object=lambda table, _name, kind, _reflected, _other: (
            kind != "table" or getattr(table, "schema", None) == schema
        ),
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_offline() -> None:
    """`--sql`: prints the statements instead of running them."""
    schema = _set_name()
    context.configure(
        dialect_name="postgresql",
        target_metadata=Model.metadata,
        version_table="alembic_version",
        version_table_schema=schema,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    """Runs what the command asked for."""
    if context.is_offline_mode():
        _run_offline()
        return
    connection = config.attributes.get("connection")
    if connection is not None:
        _run(connection)
        return
    from jiki_core.db.database import db  # `flask alembic`: the app's own engine

    with db.engine.connect() as own:
        _run(own)


if __name__ != "jiki_core.db.alembic.env":
    run()
