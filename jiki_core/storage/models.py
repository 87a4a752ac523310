"""Tables of files: tickets for direct uploads, blobs (what is known of a kept object), and what they are attached to."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import CoreModel, IdentityKey, Timestamp


class UploadTicket(CoreModel):
    """A direct upload that was allowed and is not attached yet. The object arrives at `uploads/<id>`."""

    __tablename__ = "uploads"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger)
    service: Mapped[str] = mapped_column(Text)
    #: "<plugin>.<kind>"
    kind: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    byte_size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    expires_at: Mapped[Timestamp]

    __table_args__ = (Index("uploads_user_idx", "user_id"), Index("uploads_expires_idx", "expires_at"))


class Blob(CoreModel):
    """A kept object. The row appears after the object and goes before it, so that no row is without its object."""

    __tablename__ = "blobs"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text, unique=True)
    #: "<plugin>.<kind>"
    kind: Mapped[str] = mapped_column(Text)
    #: whose personal data it is; None = nobody's, such as course material
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    #: what the uploader called it; for show and downloads, never a path
    filename: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    byte_size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    width: Mapped[int | None]
    height: Mapped[int | None]
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("blobs_user_idx", "user_id"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    )


class Attachment(CoreModel):
    """A blob that belongs to a record of a plugin. It holds the blob; without any, the blob is swept."""

    __tablename__ = "attachments"

    id: Mapped[IdentityKey]
    #: the record's table, e.g. "learning.submissions"
    record_type: Mapped[str] = mapped_column(Text)
    #: its primary key, as text
    record_id: Mapped[str] = mapped_column(Text)
    #: what the file is to the record, e.g. "avatar"
    name: Mapped[str] = mapped_column(Text)
    blob_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core.blobs.id", ondelete="CASCADE"))
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("attachments_record_idx", "record_type", "record_id", "name"),
        Index("attachments_blob_idx", "blob_id"),
    )
