"""jobs, schedules, idempotency and mail

The outbox learns priorities, uniqueness, order, owners and cancellation; its new indexes are core_0004's.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


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
    op.execute("delete from core.outbox where state = 'cancelled'")
    _replace_states("'new', 'handed', 'started', 'done', 'dead', 'held'")
    for name in ("checkpoint", "progress", "owner_id", "order_key", "unique_key", "priority"):
        op.drop_column("outbox", name, schema="core")


def _replace_states(listed: str) -> None:
    """Checks new rows at once; core_0004 looks at the old ones. The new constraint allows all that the old one did."""
    op.execute("-- squawk-ignore ban-drop-constraint\nalter table core.outbox drop constraint outbox_state_check")
    op.execute(f"alter table core.outbox add constraint outbox_state_check check (state in ({listed})) not valid")
