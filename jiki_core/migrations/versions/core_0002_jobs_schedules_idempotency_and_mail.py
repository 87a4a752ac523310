"""jobs, schedules, idempotency and mail

The outbox learns priorities, uniqueness, order, owners and cancellation. Its new indexes are made in this transaction:
no release has run with core_0001 alone, so the table is empty wherever this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None

_IN_FLIGHT = "state in ('new', 'handed', 'started', 'held')"


def upgrade() -> None:
    op.add_column(
        "outbox", sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False), schema="core"
    )
    for name in ("unique_key", "order_key"):
        op.add_column("outbox", sa.Column(name, sa.Text(), nullable=True), schema="core")
    op.add_column("outbox", sa.Column("owner_id", sa.BigInteger(), nullable=True), schema="core")
    for name in ("progress", "checkpoint"):
        op.add_column("outbox", sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=True), schema="core")
    _replace_states("'new', 'handed', 'started', 'done', 'dead', 'held', 'cancelled'")
    op.drop_index("outbox_waiting_idx", table_name="outbox", schema="core")
    op.drop_index("outbox_finished_idx", table_name="outbox", schema="core")
    op.create_index(
        "outbox_next_idx",
        "outbox",
        [sa.text("priority desc"), "run_after", "seq"],
        schema="core",
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_index(
        "outbox_unique_idx",
        "outbox",
        ["unique_key"],
        unique=True,
        schema="core",
        postgresql_where=sa.text(f"unique_key is not null and {_IN_FLIGHT}"),
    )
    op.create_index(
        "outbox_order_idx",
        "outbox",
        ["order_key", "seq"],
        schema="core",
        postgresql_where=sa.text(f"order_key is not null and {_IN_FLIGHT}"),
    )
    op.create_index(
        "outbox_over_idx",
        "outbox",
        ["finished_at"],
        schema="core",
        postgresql_where=sa.text("state in ('done', 'cancelled')"),
    )
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("catch_up", sa.Text(), nullable=False),
        sa.Column("next_tick_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_tick_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("catch_up in ('latest', 'all', 'none')", name=op.f("schedules_catch_up_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("schedules_pkey")),
        schema="core",
    )
    op.create_table(
        "schedule_ticks",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("tick_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("schedule", "tick_at", name=op.f("schedule_ticks_pkey")),
        schema="core",
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'in_progress'"), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('in_progress', 'answered')", name=op.f("idempotency_keys_state_check")),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("idempotency_keys_pkey")),
        schema="core",
    )
    op.create_index("idempotency_keys_expires_at_idx", "idempotency_keys", ["expires_at"], schema="core")
    op.create_table(
        "mail_suppressions",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "cause in ('bounce', 'complaint', 'unsubscribe')", name=op.f("mail_suppressions_cause_check")
        ),
        sa.PrimaryKeyConstraint("address", "cause", name=op.f("mail_suppressions_pkey")),
        schema="core",
    )
    op.create_table(
        "mail_dedupe_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("mail_dedupe_keys_pkey")),
        schema="core",
    )
    op.create_table(
        "tracking_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tracking_events_pkey")),
        schema="core",
    )
    op.create_index("tracking_events_name_idx", "tracking_events", ["name", "occurred_at"], schema="core")
    op.create_index("tracking_events_user_idx", "tracking_events", ["user_id"], schema="core")


def downgrade() -> None:
    for table in (
        "tracking_events",
        "mail_dedupe_keys",
        "mail_suppressions",
        "idempotency_keys",
        "schedule_ticks",
        "schedules",
    ):
        op.drop_table(table, schema="core")
    for index in ("outbox_over_idx", "outbox_order_idx", "outbox_unique_idx", "outbox_next_idx"):
        op.drop_index(index, table_name="outbox", schema="core")
    op.create_index(
        "outbox_waiting_idx", "outbox", ["run_after", "seq"], schema="core", postgresql_where=sa.text("state = 'new'")
    )
    op.create_index(
        "outbox_finished_idx", "outbox", ["finished_at"], schema="core", postgresql_where=sa.text("state = 'done'")
    )
    op.execute("delete from core.outbox where state = 'cancelled'")
    _replace_states("'new', 'handed', 'started', 'done', 'dead', 'held'")
    for name in ("checkpoint", "progress", "owner_id", "order_key", "unique_key", "priority"):
        op.drop_column("outbox", name, schema="core")


def _replace_states(listed: str) -> None:
    """Checks new rows at once and the old ones in a second step, which only reads."""
    op.execute("alter table core.outbox drop constraint outbox_state_check")
    op.execute(f"alter table core.outbox add constraint outbox_state_check check (state in ({listed})) not valid")
    op.execute("alter table core.outbox validate constraint outbox_state_check")
