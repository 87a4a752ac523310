"""tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "frozen_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["auth.users.id"], name=op.f("notes_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("notes_pkey")),
        schema="frozen",
    )
    op.create_index("notes_user_id_idx", "notes", ["user_id", "id"], schema="frozen")
    op.create_table(
        "thanks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["auth.users.id"], name=op.f("thanks_user_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("thanks_pkey")),
        schema="frozen",
    )
    op.create_index(op.f("thanks_user_id_idx"), "thanks", ["user_id"], schema="frozen")
    op.create_table(
        "visits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("visits_pkey")),
        schema="frozen",
    )


def downgrade() -> None:
    for table in ("visits", "thanks", "notes"):
        op.drop_table(table, schema="frozen")
