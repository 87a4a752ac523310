"""Tokens that travel in mails: hashed at rest, with a purpose and an end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from jiki_auth.models.base import AuthModel
from jiki_core.db import Timestamp


class MailPurpose(StrEnum):
    #: the address an account was made with
    CONFIRMATION = "confirmation"
    #: a new address, which takes effect when it confirms
    EMAIL_CHANGE = "email_change"
    #: puts the old address back
    EMAIL_CHANGE_UNDO = "email_change_undo"
    PASSWORD_RESET = "password_reset"


class MailToken(AuthModel):
    __tablename__ = "mail_tokens"

    #: SHA-256 of the token
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(Text)
    #: the address it is about: of a change, the new one; of an undo, the old one
    email: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    expires_at: Mapped[Timestamp]
    #: first use; a repeat within 15 minutes succeeds again, because the web client calls twice
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("mail_tokens_user_id_idx", "user_id"),)
