"""The listeners that an event was emitted for, and which notifications a digest has told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("listeners", postgresql.ARRAY(sa.Text()), nullable=True), schema="core")
    op.add_column("notifications", sa.Column("digested_at", sa.DateTime(timezone=True), nullable=True), schema="core")


def downgrade() -> None:
    op.drop_column("notifications", "digested_at", schema="core")
    op.drop_column("outbox", "listeners", schema="core")
