"""avatars: where a user's picture lies"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "auth_0002"
down_revision = "auth_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("avatar_url", sa.Text(), nullable=True), schema="auth")


def downgrade() -> None:
    op.drop_column("users", "avatar_url", schema="auth")
