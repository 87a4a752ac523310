"""Files: tickets of direct uploads, blobs and attachments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("uploads_pkey")),
        schema="core",
    )
    op.create_index("uploads_user_idx", "uploads", ["user_id"], unique=False, schema="core")
    op.create_index("uploads_expires_idx", "uploads", ["expires_at"], unique=False, schema="core")
    op.create_table(
        "blobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("blobs_sha256_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("blobs_pkey")),
        sa.UniqueConstraint("key", name=op.f("blobs_key_key")),
        schema="core",
    )
    op.create_index("blobs_user_idx", "blobs", ["user_id"], unique=False, schema="core")
    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("record_type", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("blob_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["blob_id"], ["core.blobs.id"], name=op.f("attachments_blob_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("attachments_pkey")),
        schema="core",
    )
    op.create_index(
        "attachments_record_idx", "attachments", ["record_type", "record_id", "name"], unique=False, schema="core"
    )
    op.create_index("attachments_blob_idx", "attachments", ["blob_id"], unique=False, schema="core")


def downgrade() -> None:
    op.drop_table("attachments", schema="core")
    op.drop_table("blobs", schema="core")
    op.drop_table("uploads", schema="core")
