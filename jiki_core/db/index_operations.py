"""`op.create_index_concurrently(...)` and `op.drop_index_concurrently(...)` for revisions; the environment loads them.

An index is built without blocking writers, outside a transaction. A build that was killed leaves an invalid index behind:
the next run drops it and builds again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import text


@Operations.register_operation("create_index_concurrently")
class CreateIndexConcurrently(MigrateOperation):
    """`name`, `table` and `columns` (names or SQL expressions) of the index; `where` makes it partial."""

    def __init__(
        self, name: str, table: str, columns: Sequence[str], *, schema: str, unique: bool = False, where: str = ""
    ) -> None:
        self.name, self.table, self.columns = name, table, tuple(columns)
        self.schema, self.unique, self.where = schema, unique, where

    @classmethod
    def create_index_concurrently(
        cls,
        operations: Operations,
        name: str,
        table: str,
        columns: Sequence[str],
        *,
        schema: str,
        unique: bool = False,
        where: str = "",
    ) -> Self:
        """What revisions call as `op.create_index_concurrently(...)`."""
        operation = cls(name, table, columns, schema=schema, unique=unique, where=where)
        operations.invoke(operation)
        return operation

    def reverse(self) -> MigrateOperation:
        return DropIndexConcurrently(self.name, schema=self.schema)


@Operations.register_operation("drop_index_concurrently")
class DropIndexConcurrently(MigrateOperation):
    """The index goes without blocking writers; one that is gone already is fine."""

    def __init__(self, name: str, *, schema: str) -> None:
        self.name, self.schema = name, schema

    @classmethod
    def drop_index_concurrently(cls, operations: Operations, name: str, *, schema: str) -> Self:
        """What revisions call as `op.drop_index_concurrently(...)`."""
        operation = cls(name, schema=schema)
        operations.invoke(operation)
        return operation


@Operations.implementation_for(CreateIndexConcurrently)
def _create(operations: Operations, operation: CreateIndexConcurrently) -> None:
    context = operations.get_context()
    unique = "unique " if operation.unique else ""
    where = f" where {operation.where}" if operation.where else ""
    with context.autocommit_block():
        operations.execute("set lock_timeout = 0")  # waiting blocks nobody here
        if not context.as_sql and _is_invalid(operations, operation):
            operations.execute(f'drop index concurrently if exists "{operation.schema}"."{operation.name}"')
        operations.execute(
            f'create {unique}index concurrently if not exists "{operation.name}" '
            f'on "{operation.schema}"."{operation.table}" ({", ".join(operation.columns)}){where}'
        )
        operations.execute("set lock_timeout = '4s'")


@Operations.implementation_for(DropIndexConcurrently)
def _drop(operations: Operations, operation: DropIndexConcurrently) -> None:
    with operations.get_context().autocommit_block():
        operations.execute(f'drop index concurrently if exists "{operation.schema}"."{operation.name}"')


def _is_invalid(operations: Operations, operation: CreateIndexConcurrently) -> bool:
    found: Any = (
        operations.get_bind()
        .execute(
            text("select not indisvalid from pg_index where indexrelid = to_regclass(:name)"),
            {"name": f'"{operation.schema}"."{operation.name}"'},
        )
        .scalar_one_or_none()
    )
    return bool(found)
