"""The core's other tables: audit entries, notifications, and what the core remembers of plugins and of itself."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db.model import CoreModel, IdentityKey, Timestamp


class AuditEvent(CoreModel):
    """Who did what to whom, written in the transaction of the deed (trust.md 3.3)."""

    __tablename__ = "audit_events"

    id: Mapped[IdentityKey]
    at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    #: "subject:verb", e.g. "session:started"
    action: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text, server_default=text("'done'"))
    #: opaque: users belong to a plugin, and the trail outlives them
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    auth_method: Mapped[str | None] = mapped_column(Text)
    target_type: Mapped[str | None] = mapped_column(Text)
    target_id: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    plugin: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("audit_events_actor_idx", "actor_id", "id"),
        Index("audit_events_target_idx", "target_type", "target_id", "id"),
    )


class Notification(CoreModel):
    """Something a user should know, listed by REST and pushed by NotificationsChannel."""

    __tablename__ = "notifications"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger)
    #: "<plugin>.<kind>", e.g. "learning.lesson_unlocked"
    type: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: a digest mail has told of it, or found that its user wants none
    digested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("notifications_user_idx", "user_id", "id"),
        Index("notifications_unread_idx", "user_id", postgresql_where=text("read_at is null")),
    )


class MutedNotification(CoreModel):
    """A kind of notification that a user does not want: it is neither kept for them nor pushed."""

    __tablename__ = "muted_notifications"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(Text, primary_key=True)
    muted_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class PluginRecord(CoreModel):
    """What is known of a plugin's schema without importing it: dormant sets are upgraded, purged and erased from here."""

    __tablename__ = "plugin_records"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[str] = mapped_column(Text)
    package: Mapped[str] = mapped_column(Text)
    requires: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    head: Mapped[str | None] = mapped_column(Text)
    tables: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    #: contracts it answers, as `<module>.<class>`: a listed provider that cannot be loaded is failing, not absent
    provides: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    #: table -> what export and erasure do with it (`jiki_personal_data`)
    personal_data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    #: the version that the last `flask plugins apply` knew as enabled; None = disabled
    applied_version: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class SeedRecord(CoreModel):
    """A seed that ran, so that it runs once."""

    __tablename__ = "seed_records"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    ran_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
