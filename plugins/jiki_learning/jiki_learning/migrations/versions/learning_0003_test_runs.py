"""test runs on the server, drafts, and exercises whose tests decide

Lock and statement time-outs are set by `flask db upgrade` (4 s, retried). The new column has a constant default, so that
PostgreSQL rewrites no rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "learning_0003"
down_revision = "learning_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "exercises",
        sa.Column("tests_decide", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="learning",
    )
    op.create_table(
        "test_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("decides", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "(finished_at is null) = (state in ('queued', 'running'))", name=op.f("test_runs_is_over_or_not_check")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["learning.exercise_submissions.id"],
            name=op.f("test_runs_submission_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("test_runs_pkey")),
        sa.UniqueConstraint("uuid", name=op.f("test_runs_uuid_key")),
        schema="learning",
    )
    op.create_index("test_runs_submission_idx", "test_runs", ["submission_id", "id"], schema="learning")
    op.create_index(
        "test_runs_waiting_idx",
        "test_runs",
        ["id"],
        schema="learning",
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "exercise_drafts",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["learning.lessons.id"],
            name=op.f("exercise_drafts_lesson_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["auth.users.id"], name=op.f("exercise_drafts_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "lesson_id", name=op.f("exercise_drafts_pkey")),
        schema="learning",
    )
    op.create_index("exercise_drafts_lesson_idx", "exercise_drafts", ["lesson_id"], schema="learning")


def downgrade() -> None:
    op.drop_table("exercise_drafts", schema="learning")
    op.drop_table("test_runs", schema="learning")
    op.drop_column("exercises", "tests_decide", schema="learning")
