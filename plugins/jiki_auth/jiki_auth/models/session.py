"""Sessions: one row, two carriers. Deleting the row ends cookie, tokens and sockets (architecture.md section 7)."""

from __future__ import annotations

import uuid
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_auth.models.base import AuthModel
from jiki_core.db import Timestamp


class SessionKind(StrEnum):
    COOKIE = "cookie"
    TOKEN = "token"


class Session(AuthModel):
    __tablename__ = "sessions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    #: SHA-256 of the cookie's secret; of token sessions, of the family's seed
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    #: which refresh token of the family is the newest
    refresh_generation: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    refreshed_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    user_agent: Mapped[str] = mapped_column(Text, server_default=text("''"))
    #: network of the address (/24 or /48), never the address itself
    network: Mapped[str] = mapped_column(Text, server_default=text("''"))
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    last_used_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    #: last time its user proved who they are; account security asks for a recent one
    authenticated_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    #: the absolute end
    expires_at: Mapped[Timestamp]

    __table_args__ = (Index("sessions_user_id_idx", "user_id"), Index("sessions_expires_at_idx", "expires_at"))
