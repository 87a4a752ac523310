"""collaboration: learners who work on one exercise together"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "learning_0002"
down_revision = "learning_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collaborations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["learning.lessons.id"], name=op.f("collaborations_lesson_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["auth.users.id"], name=op.f("collaborations_owner_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("collaborations_pkey")),
        sa.UniqueConstraint("uuid", name=op.f("collaborations_uuid_key")),
        schema="learning",
    )
    for column in ("owner_id", "lesson_id", "ended_at"):
        op.create_index(f"collaborations_{column}_idx", "collaborations", [column], unique=False, schema="learning")
    op.create_table(
        "collaboration_participants",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("collaboration_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role in ('edit', 'view')", name=op.f("collaboration_participants_role_check")),
        _belongs_to_collaboration("collaboration_participants"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["auth.users.id"], name=op.f("collaboration_participants_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("collaboration_participants_pkey")),
        sa.UniqueConstraint(
            "collaboration_id", "user_id", name=op.f("collaboration_participants_collaboration_id_user_id_key")
        ),
        schema="learning",
    )
    op.create_index(
        "collaboration_participants_user_id_idx",
        "collaboration_participants",
        ["user_id"],
        unique=False,
        schema="learning",
    )
    op.create_table(
        "collaboration_invitations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("collaboration_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_digest", sa.CHAR(length=64), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role in ('edit', 'view')", name=op.f("collaboration_invitations_role_check")),
        _belongs_to_collaboration("collaboration_invitations"),
        sa.PrimaryKeyConstraint("id", name=op.f("collaboration_invitations_pkey")),
        sa.UniqueConstraint("uuid", name=op.f("collaboration_invitations_uuid_key")),
        sa.UniqueConstraint("secret_digest", name=op.f("collaboration_invitations_secret_digest_key")),
        schema="learning",
    )
    op.create_index(
        "collaboration_invitations_collaboration_id_idx",
        "collaboration_invitations",
        ["collaboration_id"],
        unique=False,
        schema="learning",
    )
    op.create_table(
        "collaboration_documents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("collaboration_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("update_count", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _belongs_to_collaboration("collaboration_documents"),
        sa.PrimaryKeyConstraint("id", name=op.f("collaboration_documents_pkey")),
        sa.UniqueConstraint(
            "collaboration_id", "filename", name=op.f("collaboration_documents_collaboration_id_filename_key")
        ),
        schema="learning",
    )
    op.create_table(
        "collaboration_updates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _belongs_to_document("collaboration_updates"),
        sa.PrimaryKeyConstraint("id", name=op.f("collaboration_updates_pkey")),
        schema="learning",
    )
    op.create_table(
        "collaboration_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason in ('began', 'edited', 'submitted', 'ended')", name=op.f("collaboration_versions_reason_check")
        ),
        _belongs_to_document("collaboration_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f("collaboration_versions_pkey")),
        schema="learning",
    )
    for table in ("collaboration_updates", "collaboration_versions"):
        op.create_index(f"{table}_document_id_idx", table, ["document_id", "id"], unique=False, schema="learning")


def downgrade() -> None:
    for table in (
        "collaboration_versions",
        "collaboration_updates",
        "collaboration_documents",
        "collaboration_invitations",
        "collaboration_participants",
        "collaborations",
    ):
        op.drop_table(table, schema="learning")


def _belongs_to_collaboration(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["collaboration_id"],
        ["learning.collaborations.id"],
        name=op.f(f"{table}_collaboration_id_fkey"),
        ondelete="CASCADE",
    )


def _belongs_to_document(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["document_id"],
        ["learning.collaboration_documents.id"],
        name=op.f(f"{table}_document_id_fkey"),
        ondelete="CASCADE",
    )
