"""the last day on which somebody was reminded of their streak"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "learning_0005"
down_revision = "learning_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "streak_reminders",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["auth.users.id"], name=op.f("streak_reminders_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("streak_reminders_pkey")),
        schema="learning",
    )


def downgrade() -> None:
    op.drop_table("streak_reminders", schema="learning")
