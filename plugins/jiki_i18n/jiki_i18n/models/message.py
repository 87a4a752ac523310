"""Namespaces and their messages: keys with their source text, which is the English catalogue."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_i18n.models.base import I18nModel


class Namespace(I18nModel):
    """A set of messages that a front-end loads together: one catalogue per locale."""

    __tablename__ = "namespaces"

    id: Mapped[IdentityKey]
    name: Mapped[str] = mapped_column(Text)
    #: the plugin that brings its keys at `flask i18n sync`; empty = kept by hand, import or extraction
    owner: Mapped[str] = mapped_column(Text, server_default=text("''"))
    description: Mapped[str] = mapped_column(Text, server_default=text("''"))
    #: `Layout` of its catalogues
    layout: Mapped[str] = mapped_column(Text, server_default=text("'nested'"))
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (UniqueConstraint("name"),)


class SourceMessage(I18nModel):
    """One key. A key that its owner no longer has is retired, not deleted: it may come back with its translations."""

    __tablename__ = "messages"

    id: Mapped[IdentityKey]
    namespace_id: Mapped[int] = mapped_column(ForeignKey("i18n.namespaces.id", ondelete="CASCADE"))
    #: escaped path, see `jiki_i18n.keys`
    key: Mapped[str] = mapped_column(Text)
    #: ICU text in English
    source: Mapped[str] = mapped_column(Text)
    #: grows when `source` says something else; a translation made of an older one is stale
    source_revision: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    description: Mapped[str] = mapped_column(Text, server_default=text("''"))
    placeholders: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    #: code points of the longest variant
    max_length: Mapped[int | None] = mapped_column(Integer)
    screenshot_url: Mapped[str] = mapped_column(Text, server_default=text("''"))
    #: optimistic lock; grows with every change of this row
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (UniqueConstraint("namespace_id", "key"),)


class CatalogueRevision(I18nModel):
    """Grows whenever what a namespace says in a locale changes; publication skips what has not grown."""

    __tablename__ = "catalogue_revisions"

    namespace_id: Mapped[int] = mapped_column(ForeignKey("i18n.namespaces.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(Text, primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))

    __table_args__ = (Index("catalogue_revisions_locale_idx", "locale"),)
