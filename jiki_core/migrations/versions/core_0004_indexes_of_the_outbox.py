"""indexes of the outbox

Each is made and dropped CONCURRENTLY, outside a transaction, and may be repeated after an interruption.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0004"
down_revision = "core_0003"
branch_labels = None
depends_on = None

_IN_FLIGHT = "state in ('new', 'handed', 'started', 'held')"


def upgrade() -> None:
    op.execute("alter table core.outbox validate constraint outbox_state_check")
    with op.get_context().autocommit_block():
        _create("outbox_next_idx", [sa.text("priority desc"), "run_after", "seq"], "state = 'new'")
        _create("outbox_unique_idx", ["unique_key"], f"unique_key is not null and {_IN_FLIGHT}", unique=True)
        _create("outbox_order_idx", ["order_key", "seq"], f"order_key is not null and {_IN_FLIGHT}")
        _create("outbox_over_idx", ["finished_at"], "state in ('done', 'cancelled')")
        for replaced in ("outbox_waiting_idx", "outbox_finished_idx"):
            _drop(replaced)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _create("outbox_waiting_idx", ["run_after", "seq"], "state = 'new'")
        _create("outbox_finished_idx", ["finished_at"], "state = 'done'")
        for name in ("outbox_over_idx", "outbox_order_idx", "outbox_unique_idx", "outbox_next_idx"):
            _drop(name)


def _create(name: str, columns: list[str | sa.TextClause], where: str, *, unique: bool = False) -> None:
    op.create_index(
        name,
        "outbox",
        columns,
        unique=unique,
        schema="core",
        postgresql_where=sa.text(where),
        postgresql_concurrently=True,
        if_not_exists=True,
    )


def _drop(name: str) -> None:
    op.drop_index(name, table_name="outbox", schema="core", postgresql_concurrently=True, if_exists=True)
