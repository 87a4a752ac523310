"""weekly scores"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "leaderboard_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "weekly_scores",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["auth.users.id"], name=op.f("weekly_scores_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "week", name=op.f("weekly_scores_pkey")),
        schema="leaderboard",
    )
    op.create_index("weekly_scores_week_idx", "weekly_scores", ["week", "points"], schema="leaderboard")


def downgrade() -> None:
    op.drop_table("weekly_scores", schema="leaderboard")
