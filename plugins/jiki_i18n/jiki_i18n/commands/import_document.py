"""Importing a document in any exchange format: English brings keys, other locales translate them."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.db import UnitOfWork
from jiki_i18n.commands.import_entries import import_translations
from jiki_i18n.commands.namespaces import ensure_namespace
from jiki_i18n.commands.sync_keys import sync_keys
from jiki_i18n.errors import ImportRefused, LocaleNotFound
from jiki_i18n.exchange import FORMATS, ConflictPolicy, Entries, ExchangeError
from jiki_i18n.locales import LOCALES, SOURCE_LOCALE


@dataclass(frozen=True, slots=True)
class Document:
    """A file to import; `locale` and `namespace` may be left out where the format carries them."""

    content: bytes
    form: str
    locale: str | None = None
    namespace: str | None = None
    #: the document as it was exported: with it only what both sides changed is a conflict
    base: bytes | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    locale: str
    namespace: str
    counts: dict[str, int]
    lines: tuple[str, ...]
    is_refused: bool = False


def read_document(document: Document) -> Entries:
    """Raises ImportRefused with every fault and its place, LocaleNotFound for a locale that is none of ours."""
    entries = _read(document.content, document.form, document.locale, document.namespace)
    if entries.locale not in LOCALES:
        raise LocaleNotFound()
    return entries


def import_document(
    uow: UnitOfWork,
    document: Document,
    policy: ConflictPolicy,
    *,
    may_review: bool,
    retires_missing: bool = False,
    author_id: int | None = None,
    is_dry_run: bool = False,
) -> Imported:
    """Imports a document, or says what it would do. Translations never make keys; English does, in a namespace that is
    made when there is none. A plan with conflicts under `refuse` writes nothing. Raises as `read_document`."""
    entries = read_document(document)
    if entries.locale == SOURCE_LOCALE:
        namespace_id = ensure_namespace(uow, entries.namespace)
        plan = sync_keys(uow, namespace_id, entries.entries, retires_missing=retires_missing, is_dry_run=is_dry_run)
        return Imported(entries.locale, entries.namespace, plan.counts(), tuple(plan.diff_lines()))
    base = None
    if document.base is not None:
        base = _read(document.base, document.form, entries.locale, entries.namespace).texts()
    done = import_translations(
        uow, entries, policy, base=base, may_review=may_review, author_id=author_id, is_dry_run=is_dry_run
    )
    return Imported(entries.locale, entries.namespace, done.counts(), tuple(done.diff_lines()), done.is_refused)


def _read(content: bytes, form: str, locale: str | None, namespace: str | None) -> Entries:
    try:
        return FORMATS[form].read(content, locale=locale, namespace=namespace)
    except ExchangeError as error:
        raise ImportRefused(faults=list(error.faults)) from None
