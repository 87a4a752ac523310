"""plugin state

Pauses, suspensions and heartbeats of processes; the records of plugins learn what they answer, what personal data they
keep, and what the last deploy knew of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runtime_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("runtime_state_id_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("runtime_state_pkey")),
        schema="core",
    )
    op.create_table(
        "plugin_pauses",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("plugin", name=op.f("plugin_pauses_pkey")),
        schema="core",
    )
    op.create_table(
        "plugin_suspensions",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('job', 'listener', 'channel')", name=op.f("plugin_suspensions_kind_check")),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("plugin_suspensions_pkey")),
        schema="core",
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("plugins", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state_version", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("processes_pkey")),
        schema="core",
    )
    op.create_index("processes_seen_at_idx", "processes", ["seen_at"], schema="core")
    op.add_column(
        "plugin_records",
        sa.Column("provides", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        schema="core",
    )
    op.add_column(
        "plugin_records",
        sa.Column(
            "personal_data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        schema="core",
    )
    op.add_column("plugin_records", sa.Column("applied_version", sa.Text(), nullable=True), schema="core")


def downgrade() -> None:
    for column in ("applied_version", "personal_data", "provides"):
        op.drop_column("plugin_records", column, schema="core")
    op.drop_index("processes_seen_at_idx", table_name="processes", schema="core")
    for table in ("processes", "plugin_suspensions", "plugin_pauses", "runtime_state"):
        op.drop_table(table, schema="core")
