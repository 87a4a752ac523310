"""Publications: complete lists of content-hashed files, of which one at a time is current."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_i18n.models.base import I18nModel


class PublicationState(StrEnum):
    BUILDING = "building"  #: its files are being made
    PUBLISHED = "published"  #: complete: current, or once was
    FAILED = "failed"  #: a catalogue could not be made; `reason` says which
    OVERTAKEN = "overtaken"  #: a newer one became current before it was complete


class Publication(I18nModel):
    __tablename__ = "publications"

    id: Mapped[IdentityKey]
    #: `PublicationState`
    state: Mapped[str] = mapped_column(Text, server_default=text("'building'"))
    #: what it makes anew; everything else is taken over from the current one when it becomes current
    locales: Mapped[list[str]] = mapped_column(ARRAY(Text))
    namespaces: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: told to publish drafts, machine translations and stale texts too
    includes_unreviewed: Mapped[bool] = mapped_column(server_default=text("false"))
    #: catalogues to make and made
    total_count: Mapped[int] = mapped_column(Integer)
    done_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    #: opaque user id; null = a command
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text, server_default=text("''"))
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: its files that no younger publication uses are gone: it cannot become current again
    is_collected: Mapped[bool] = mapped_column(server_default=text("false"))


class PublishedCatalogue(I18nModel):
    """One file of a publication: what a locale loads for a namespace."""

    __tablename__ = "published_catalogues"

    publication_id: Mapped[int] = mapped_column(
        ForeignKey("i18n.publications.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(Text, primary_key=True)
    #: by name: a publication outlives its namespaces
    namespace: Mapped[str] = mapped_column(Text, primary_key=True)
    #: `<namespace>.<hash>.json`
    file_name: Mapped[str] = mapped_column(Text)
    #: SHA-256 in hex
    digest: Mapped[str] = mapped_column(Text)
    layout: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(Integer)
    message_count: Mapped[int] = mapped_column(Integer)
    #: what it was made of: revisions along the fallback chain and the settings that matter
    made_of: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index("published_catalogues_file_idx", "locale", "file_name"),)


class CurrentPublication(I18nModel):
    """One row: replacing its value is what publishes."""

    __tablename__ = "current_publication"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    publication_id: Mapped[int] = mapped_column(ForeignKey("i18n.publications.id", ondelete="CASCADE"))
    changed_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("id = 1", name="is_one_row"),
        Index("current_publication_publication_idx", "publication_id"),
    )
