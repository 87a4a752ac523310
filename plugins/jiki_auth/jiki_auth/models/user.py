"""Users and the roles they were given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_auth.models.base import AuthModel
from jiki_core.db import IdentityKey, Timestamp


class User(AuthModel):
    __tablename__ = "users"

    id: Mapped[IdentityKey]
    #: 3..30 of a-z 0-9 - (contract.md section 1), unique
    handle: Mapped[str] = mapped_column(Text)
    #: lower case, without surrounding blanks
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    #: argon2id; null for accounts that never had a password
    password_hash: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    welcomed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: chosen in the settings; null = by the browser's languages
    explicit_locale: Mapped[str | None] = mapped_column(Text)
    #: tags of the first Accept-Language seen, best first
    language_tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    country_code: Mapped[str | None] = mapped_column(CHAR(2))
    timezone: Mapped[str] = mapped_column(Text, server_default=text("'UTC'"))
    signup_attribution: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("users_email_key", "email", unique=True),
        Index("users_handle_key", "handle", unique=True),
        CheckConstraint("email = lower(email)", name="email_is_lower_case"),
        CheckConstraint("handle = lower(handle)", name="handle_is_lower_case"),
    )


class UserRole(AuthModel):
    __tablename__ = "user_roles"

    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    granted_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
