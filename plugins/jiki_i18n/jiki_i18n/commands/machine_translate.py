"""Machine translation of what is missing: asked for by an editor, done by jobs, never published unreviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select

from jiki_core.db import UnitOfWork, reading
from jiki_i18n.commands.namespaces import access_namespace, lock_sources
from jiki_i18n.commands.store_texts import NewText, Origin, in_batches, store_texts
from jiki_i18n.exchange import TranslationState
from jiki_i18n.messages import check_message, parse_message
from jiki_i18n.models import SourceMessage, Translation
from jiki_i18n.queries.editors import Editor

#: messages of one job
MESSAGES_PER_JOB = 50


@dataclass(frozen=True, slots=True)
class Untranslated:
    """A message without a translation, as it was read."""

    id: int
    source: str
    source_revision: int
    max_length: int | None


def request_machine_translation(
    uow: UnitOfWork, editor: Editor, namespace: str, locale: str, message_ids: Sequence[int] = ()
) -> int:
    """Asks for drafts by machine of the missing messages of a namespace (or of those named); returns how many.

    Raises NamespaceNotFound and LocaleNotGranted.
    """
    from jiki_i18n.jobs import machine_translate  # jobs import this module

    editor.check_write(locale)
    found = access_namespace(uow, namespace)
    missing = [one.id for one in untranslated(found.id, locale, message_ids)]
    for batch in in_batches(missing, MESSAGES_PER_JOB):
        uow.enqueue(machine_translate, namespace_id=found.id, locale=locale, message_ids=list(batch))
    return len(missing)


def untranslated(namespace_id: int, locale: str, message_ids: Sequence[int] = ()) -> list[Untranslated]:
    """Messages in use with an English text and no translation, by key."""
    query = (
        select(SourceMessage.id, SourceMessage.source, SourceMessage.source_revision, SourceMessage.max_length)
        .outerjoin(Translation, and_(Translation.message_id == SourceMessage.id, Translation.locale == locale))
        .where(
            SourceMessage.namespace_id == namespace_id,
            SourceMessage.retired_at.is_(None),
            SourceMessage.source != "",
            Translation.message_id.is_(None),
        )
        .order_by(SourceMessage.key)
    )
    if message_ids:
        query = query.where(SourceMessage.id.in_(list(message_ids)))
    return [Untranslated(row.id, row.source, row.source_revision, row.max_length) for row in reading().execute(query)]


def store_machine_texts(
    uow: UnitOfWork, namespace_id: int, locale: str, made: Sequence[tuple[Untranslated, str | None]]
) -> int:
    """Stores what is a valid translation of a source that is still the same and still untranslated; returns how many."""
    lock_sources(uow, namespace_id)
    rows = uow.session.execute(
        select(SourceMessage.id, SourceMessage.source_revision).where(SourceMessage.id.in_([one.id for one, _ in made]))
    )
    current = {row.id: row.source_revision for row in rows}
    texts = [
        NewText(one.id, text, TranslationState.MACHINE, one.source_revision, 0)
        for one, text in made
        if text
        and current.get(one.id) == one.source_revision
        and not check_message(text, locale, source=parse_message(one.source), max_length=one.max_length)
    ]
    return len(store_texts(uow, namespace_id, locale, texts, origin=Origin.MACHINE))
