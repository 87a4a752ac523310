"""The messages of one namespace in one locale as an exchange format writes them."""

from __future__ import annotations

from sqlalchemy import and_, select

from jiki_core.db import reading
from jiki_i18n.errors import ExportRefused
from jiki_i18n.exchange import FORMATS, Entries, Entry, ExchangeError, TranslationState
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.models import SourceMessage, Translation
from jiki_i18n.queries.catalogue_texts import namespace_facts


def stored_entries(namespace: str, locale: str) -> Entries:
    """Every key in use; of English the sources, as reviewed. Raises NamespaceNotFound."""
    facts = namespace_facts(namespace)
    is_source = locale == SOURCE_LOCALE
    rows = reading().execute(
        select(
            SourceMessage.key,
            SourceMessage.source,
            SourceMessage.description,
            SourceMessage.max_length,
            Translation.text,
            Translation.state,
            Translation.comment,
        )
        .outerjoin(Translation, and_(Translation.message_id == SourceMessage.id, Translation.locale == locale))
        .where(SourceMessage.namespace_id == facts.id, SourceMessage.retired_at.is_(None))
    )
    entries = tuple(
        Entry(
            row.key,
            row.source if is_source else row.text or "",
            source=row.source,
            description=row.description,
            comment=row.comment or "",
            state=TranslationState.REVIEWED if is_source else TranslationState(row.state or TranslationState.MISSING),
            max_length=row.max_length,
        )
        for row in rows
    )
    return Entries(locale, namespace, entries)


def export(namespace: str, locale: str, form: str) -> bytes:
    """The document of a namespace in a locale. Formats that hold texts only leave out what is not translated.

    Raises NamespaceNotFound, and ExportRefused for messages the format cannot say.
    """
    entries = stored_entries(namespace, locale)
    chosen = FORMATS[form]
    if not chosen.has_details:
        entries = Entries(locale, namespace, tuple(each for each in entries.entries if each.text))
    try:
        return chosen.write(entries)
    except ExchangeError as error:
        raise ExportRefused(faults=list(error.faults)) from None
