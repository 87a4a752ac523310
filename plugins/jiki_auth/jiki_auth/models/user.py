"""Users, the roles they were given and the flags their client keeps."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CHAR, BigInteger, CheckConstraint, Date, DateTime, ForeignKey, Index, Text, func, text
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
    #: of the picture in `core.attachments`; it changes with the picture only
    avatar_url: Mapped[str | None] = mapped_column(Text)
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
    #: a new address that has not confirmed yet
    unconfirmed_email: Mapped[str | None] = mapped_column(Text)
    #: `sub` of the Google account that signs in
    google_id: Mapped[str | None] = mapped_column(Text)
    last_active_on: Mapped[date | None] = mapped_column(Date)
    streaks_enabled: Mapped[bool] = mapped_column(server_default=text("false"))
    receive_newsletters: Mapped[bool] = mapped_column(server_default=text("true"))
    receive_event_emails: Mapped[bool] = mapped_column(server_default=text("true"))
    receive_milestone_emails: Mapped[bool] = mapped_column(server_default=text("true"))
    receive_activity_emails: Mapped[bool] = mapped_column(server_default=text("true"))
    receive_onboarding_emails: Mapped[bool] = mapped_column(server_default=text("true"))
    #: a hard bounce stops all mail until the address changes
    email_bounced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    email_bounce_reason: Mapped[str | None] = mapped_column(Text)
    #: a complaint or keyless unsubscribe stops notifications and marketing
    email_complaint_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    email_complaint_type: Mapped[str | None] = mapped_column(Text)
    #: seed of the authenticator app, sealed with AES-GCM; it counts once `otp_enabled_at` is set
    otp_seed_sealed: Mapped[str | None] = mapped_column(Text)
    otp_enabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: newest time step whose code was accepted; it and older ones are refused
    otp_last_step: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("users_email_key", "email", unique=True),
        Index("users_google_id_key", "google_id", unique=True),
        Index("users_handle_key", "handle", unique=True),
        CheckConstraint("email = lower(email)", name="email_is_lower_case"),
        CheckConstraint("handle = lower(handle)", name="handle_is_lower_case"),
    )


class UserRole(AuthModel):
    __tablename__ = "user_roles"

    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    granted_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class UserFlag(AuthModel):
    """Something the client wants to show once, such as its welcome."""

    __tablename__ = "user_flags"

    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    #: at most 100 characters; those the client writes start with `client:`
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
