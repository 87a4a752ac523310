"""`op.update_in_batches(...)` for revisions that fill a column of a filled table; the environment loads it.

Each batch commits by itself, so that writers wait for a few thousand rows at most, and a run that was killed goes on where it
stopped: what `condition` no longer finds is done.
"""

from __future__ import annotations

from typing import Self

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import text


class EndlessUpdate(Exception):
    """The assignment leaves the condition true, so that the update would never end."""


@Operations.register_operation("update_in_batches")
class UpdateInBatches(MigrateOperation):
    """`assignment` and `condition` are SQL: `"size = length(text)"`, `"size is null"`; the one must end the other."""

    def __init__(self, table: str, assignment: str, condition: str, *, schema: str, batch_rows: int = 5_000) -> None:
        self.table, self.assignment, self.condition = table, assignment, condition
        self.schema, self.batch_rows = schema, batch_rows

    @classmethod
    def update_in_batches(
        cls,
        operations: Operations,
        table: str,
        assignment: str,
        condition: str,
        *,
        schema: str,
        batch_rows: int = 5_000,
    ) -> Self:
        """What revisions call as `op.update_in_batches(...)`. Raises EndlessUpdate."""
        operation = cls(table, assignment, condition, schema=schema, batch_rows=batch_rows)
        operations.invoke(operation)
        return operation


@Operations.implementation_for(UpdateInBatches)
def _update(operations: Operations, operation: UpdateInBatches) -> None:
    context = operations.get_context()
    table = f'"{operation.schema}"."{operation.table}"'
    if context.as_sql:
        operations.execute(f"update {table} set {operation.assignment} where {operation.condition}")
        return
    count = text(f"select count(*) from {table} where {operation.condition}")
    # The rows of a batch are locked before they are changed, so that their places hold.
    batch = text(
        f"with batch as (select ctid from {table} where {operation.condition} limit :rows for no key update) "
        f"update {table} as changed set {operation.assignment} from batch where changed.ctid = batch.ctid"
    )
    with context.autocommit_block():
        connection = operations.get_bind()
        # Rows that are written meanwhile may come on top; many times what was there cannot.
        most = 2 * connection.execute(count).scalar_one() + 10 * operation.batch_rows
        while changed := connection.execute(batch, {"rows": operation.batch_rows}).rowcount:
            most -= changed
            if most < 0:
                raise EndlessUpdate(f"{operation.assignment!r} leaves {operation.condition!r} true in {table}")
