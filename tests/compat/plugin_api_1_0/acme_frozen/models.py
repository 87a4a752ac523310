"""Tables of frozen: one of each way in which an erasure treats rows."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core import IdentityKey, Model, Timestamp


class FrozenModel(Model):
    __abstract__ = True
    __plugin__ = "frozen"


class Note(FrozenModel):
    __tablename__ = "notes"

    id: Mapped[IdentityKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[Timestamp]

    __table_args__ = (Index("notes_user_id_idx", "user_id", "id"),)


class Thanks(FrozenModel):
    __tablename__ = "thanks"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id", ondelete="SET NULL"), index=True)
    text: Mapped[str] = mapped_column(Text)


class Visit(FrozenModel):
    __tablename__ = "visits"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger)
    visited_at: Mapped[Timestamp]
