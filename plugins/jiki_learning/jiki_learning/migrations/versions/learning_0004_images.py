"""Images of texts, whose files are attachments of the core."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "learning_0004"
down_revision = "learning_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("images_pkey")),
        schema="learning",
    )


def downgrade() -> None:
    op.drop_table("images", schema="learning")
