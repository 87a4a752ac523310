"""What `external/i18n` serves: the files of the current publication, or, where nothing is published yet, live texts."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.observability import get_logger
from jiki_core.runtime import runtime
from jiki_i18n.catalogues import Layout, pack
from jiki_i18n.errors import CatalogueNotFound, NamespaceNotFound
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.models import CurrentPublication, PublishedCatalogue
from jiki_i18n.pseudo import PseudoLocale, pseudo_translate
from jiki_i18n.queries.catalogue_texts import NamespaceFacts, build_catalogue, namespace_facts, texts_by_locale
from jiki_i18n.storage import FILES

log = get_logger(__name__)
#: bytes of catalogues that one process keeps at hand
CACHE_BYTES = 32 * 1024 * 1024
#: what is smaller is not worth compressing
COMPRESSED_FROM_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class ServedCatalogue:
    """A catalogue as bytes; `gzipped` is None when it is too small for it."""

    body: bytes
    gzipped: bytes | None
    digest: str
    layout: Layout


class _Bodies:
    """Published files by content and layout, least recently used first out: never stale."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, Layout], ServedCatalogue] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, digest: str, layout: Layout) -> ServedCatalogue | None:
        with self._lock:
            found = self._entries.get((digest, layout))
            if found is not None:
                self._entries.move_to_end((digest, layout))
            return found

    def keep(self, served: ServedCatalogue) -> None:
        with self._lock:
            key = (served.digest, served.layout)
            if key in self._entries:
                return
            self._entries[key] = served
            self._bytes += _size(served)
            while self._bytes > CACHE_BYTES and len(self._entries) > 1:
                self._bytes -= _size(self._entries.popitem(last=False)[1])


_bodies = _Bodies()


def served_catalogue(locale: str, namespace: str) -> ServedCatalogue:
    """The catalogue of a namespace for a served locale or a pseudo-locale. Raises CatalogueNotFound.

    One statement when it is published. Outside production what was never published is made of what translators have
    just written, drafts included; in production it is not there.
    """
    if locale in list(PseudoLocale):
        return _pseudo(PseudoLocale(locale), namespace)
    published = _published(locale, namespace)
    if published is None:
        if runtime().settings.is_production:
            raise CatalogueNotFound()
        return _live(locale, namespace, includes_unreviewed=True)
    found = _file(locale, published)
    if found is None:
        log.error("catalogue_file_missing", file=f"{locale}/{published.file_name}")
        return _live(locale, namespace, includes_unreviewed=False)
    return found


def published_file(locale: str, file_name: str) -> ServedCatalogue:
    """A content-hashed file of any publication. Raises CatalogueNotFound."""
    row = (
        reading()
        .execute(
            select(PublishedCatalogue.digest, PublishedCatalogue.layout)
            .where(PublishedCatalogue.locale == locale, PublishedCatalogue.file_name == file_name)
            .limit(1)
        )
        .one_or_none()
    )
    if row is None:
        raise CatalogueNotFound()
    found = _file(locale, PublishedFile(file_name, row.digest, Layout(row.layout)))
    if found is None:
        raise CatalogueNotFound()
    return found


def current_files(locale: str) -> dict[str, str]:
    """Namespace → file name in the current publication; empty when there is none."""
    rows = reading().execute(
        select(PublishedCatalogue.namespace, PublishedCatalogue.file_name)
        .join(CurrentPublication, CurrentPublication.publication_id == PublishedCatalogue.publication_id)
        .where(PublishedCatalogue.locale == locale)
        .order_by(PublishedCatalogue.namespace)
    )
    return {row.namespace: row.file_name for row in rows}


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of the current publication."""

    file_name: str
    digest: str
    layout: Layout


def _published(locale: str, namespace: str) -> PublishedFile | None:
    row = (
        reading()
        .execute(
            select(PublishedCatalogue.file_name, PublishedCatalogue.digest, PublishedCatalogue.layout)
            .join(CurrentPublication, CurrentPublication.publication_id == PublishedCatalogue.publication_id)
            .where(PublishedCatalogue.locale == locale, PublishedCatalogue.namespace == namespace)
        )
        .one_or_none()
    )
    return None if row is None else PublishedFile(row.file_name, row.digest, Layout(row.layout))


def _file(locale: str, published: PublishedFile) -> ServedCatalogue | None:
    """A published file, from memory or the storage; None when it was lost."""
    kept = _bodies.get(published.digest, published.layout)
    if kept is not None:
        return kept
    body = FILES.get(f"{locale}/{published.file_name}")
    if body is None:
        return None
    served = _served(body, published.digest, published.layout)
    _bodies.keep(served)
    return served


def _live(locale: str, namespace: str, *, includes_unreviewed: bool) -> ServedCatalogue:
    facts = _facts(namespace)
    catalogue, _ = build_catalogue(facts, locale, includes_unreviewed=includes_unreviewed)
    return _served(catalogue.body, catalogue.digest, facts.layout)


def _pseudo(locale: PseudoLocale, namespace: str) -> ServedCatalogue:
    """English made visibly foreign, from the sources as they are; for development, never for production."""
    if runtime().settings.is_production:
        raise CatalogueNotFound()
    facts = _facts(namespace)
    sources = texts_by_locale(facts.id, (SOURCE_LOCALE,), includes_unreviewed=True)[SOURCE_LOCALE]
    texts = {key: pseudo_translate(source, locale) for key, source in sources.items() if source}
    catalogue = pack(SOURCE_LOCALE, namespace, texts, facts.layout)
    return _served(catalogue.body, catalogue.digest, facts.layout)


def _facts(namespace: str) -> NamespaceFacts:
    try:
        return namespace_facts(namespace)
    except NamespaceNotFound:
        raise CatalogueNotFound() from None


def _served(body: bytes, digest: str, layout: Layout) -> ServedCatalogue:
    is_large = len(body) >= COMPRESSED_FROM_BYTES
    return ServedCatalogue(body, gzip.compress(body, 6, mtime=0) if is_large else None, digest, layout)


def _size(served: ServedCatalogue) -> int:
    return len(served.body) + len(served.gzipped or b"")
