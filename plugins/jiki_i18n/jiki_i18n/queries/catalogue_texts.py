"""The texts of a namespace along a fallback chain, in one statement and so of one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from jiki_core.db import reading
from jiki_i18n.catalogues import Catalogue, Layout, generate_catalogue
from jiki_i18n.errors import NamespaceNotFound
from jiki_i18n.locales import SOURCE_LOCALE, fallback_chain
from jiki_i18n.models import CatalogueRevision, Namespace, SourceMessage, Translation


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    """What generating needs of a namespace."""

    id: int
    name: str
    layout: Layout


def namespace_facts(name: str) -> NamespaceFacts:
    """Raises NamespaceNotFound."""
    row = (
        reading()
        .execute(select(Namespace.id, Namespace.name, Namespace.layout).where(Namespace.name == name))
        .one_or_none()
    )
    if row is None:
        raise NamespaceNotFound()
    return NamespaceFacts(row.id, row.name, Layout(row.layout))


def texts_by_locale(
    namespace_id: int, locales: tuple[str, ...], *, includes_unreviewed: bool
) -> dict[str, dict[str, str]]:
    """Locale → key → text, of keys in use; English is the source. Without `includes_unreviewed`, translations are the
    last approved ones. Holds one namespace in memory, nothing more."""
    translated = [locale for locale in locales if locale != SOURCE_LOCALE]
    columns: list[Any] = [SourceMessage.key, SourceMessage.source]
    query = select(*columns).where(SourceMessage.namespace_id == namespace_id, SourceMessage.retired_at.is_(None))
    for locale in translated:
        one = aliased(Translation)
        query = query.outerjoin(one, and_(one.message_id == SourceMessage.id, one.locale == locale)).add_columns(
            one.text if includes_unreviewed else one.reviewed_text
        )
    texts: dict[str, dict[str, str]] = {locale: {} for locale in locales}
    for key, source, *others in reading().execute(query):
        if SOURCE_LOCALE in texts:
            texts[SOURCE_LOCALE][key] = source
        for locale, text in zip(translated, others, strict=True):
            if text:
                texts[locale][key] = text
    return texts


def build_catalogue(namespace: NamespaceFacts, locale: str, *, includes_unreviewed: bool) -> tuple[Catalogue, int]:
    """The catalogue of a namespace for a locale as the database has it now, and how many messages it holds.

    Raises CatalogueError when the texts cannot be laid out.
    """
    texts = texts_by_locale(namespace.id, fallback_chain(locale), includes_unreviewed=includes_unreviewed)
    count = sum(1 for source in texts[SOURCE_LOCALE].values() if source)
    return generate_catalogue(locale, namespace.name, texts, namespace.layout), count


def revisions(namespace_ids: list[int]) -> dict[tuple[int, str], int]:
    """(namespace, locale) → revision; one that never changed is absent."""
    rows = reading().execute(
        select(CatalogueRevision.namespace_id, CatalogueRevision.locale, CatalogueRevision.revision).where(
            CatalogueRevision.namespace_id == func.any(namespace_ids)
        )
    )
    return {(row.namespace_id, row.locale): row.revision for row in rows}
