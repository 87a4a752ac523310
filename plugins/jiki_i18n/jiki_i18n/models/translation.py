"""Translations with their state, every version they had, and what people said about them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, Text, func
from sqlalchemy import text as sql  # `text` is a column here
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_i18n.models.base import I18nModel


class Translation(I18nModel):
    """What a message says in one locale; without a row it is missing."""

    __tablename__ = "translations"

    message_id: Mapped[int] = mapped_column(ForeignKey("i18n.messages.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(Text, primary_key=True)
    #: the text worked on, never empty
    text: Mapped[str] = mapped_column(Text)
    #: `TranslationState`, never missing
    state: Mapped[str] = mapped_column(Text)
    #: the last text that was approved and still fits its source: what publications take
    reviewed_text: Mapped[str | None] = mapped_column(Text)
    #: of the source it was made of
    source_revision: Mapped[int] = mapped_column(Integer)
    #: the translator's note
    comment: Mapped[str] = mapped_column(Text, server_default=sql("''"))
    #: optimistic lock; grows with every change of this row
    version: Mapped[int] = mapped_column(Integer, server_default=sql("1"))
    #: opaque user ids; null = a command or a machine
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    reviewer_id: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (Index("translations_locale_idx", "locale", "state", "message_id"),)


class TranslationVersion(I18nModel):
    """A translation as it was after a change; append-only."""

    __tablename__ = "translation_versions"

    message_id: Mapped[int] = mapped_column(ForeignKey("i18n.messages.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    source_revision: Mapped[int] = mapped_column(Integer)
    #: `Origin`: what changed it
    origin: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class TranslationComment(I18nModel):
    """A remark on a message in a locale, or on the message itself (`locale` empty)."""

    __tablename__ = "translation_comments"

    id: Mapped[IdentityKey]
    message_id: Mapped[int] = mapped_column(ForeignKey("i18n.messages.id", ondelete="CASCADE"))
    locale: Mapped[str] = mapped_column(Text, server_default=sql("''"))
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("translation_comments_message_idx", "message_id", "locale"),)
