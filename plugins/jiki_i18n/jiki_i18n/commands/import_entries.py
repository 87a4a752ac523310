"""Importing translations: the plan of `exchange.import_plan` over what is stored, written against what it has seen."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, select

from jiki_core.db import UnitOfWork
from jiki_i18n.commands.namespaces import access_namespace, lock_sources
from jiki_i18n.commands.store_texts import NewText, Origin, store_texts
from jiki_i18n.errors import VersionConflict
from jiki_i18n.exchange import (
    ConflictPolicy,
    Entries,
    ImportPlan,
    StoredTranslation,
    TranslationState,
    plan_import,
)
from jiki_i18n.models import SourceMessage, Translation, TranslationVersion


def import_translations(
    uow: UnitOfWork,
    incoming: Entries,
    policy: ConflictPolicy,
    *,
    origin: Origin = Origin.IMPORT,
    base: Mapping[str, str] | None = None,
    may_review: bool = False,
    follows_origin: Origin | None = None,
    author_id: int | None = None,
    is_dry_run: bool = False,
) -> ImportPlan:
    """Imports the translations of one namespace in one locale, and returns what was (or would be) done.

    `follows_origin`: texts whose last change had this origin count as what was exported, so the file may replace them.
    Raises NamespaceNotFound, and VersionConflict when somebody wrote between the plan and its writing.
    """
    namespace = access_namespace(uow, incoming.namespace)
    lock_sources(uow, namespace.id)
    rows = uow.session.execute(
        select(
            SourceMessage.id,
            SourceMessage.key,
            SourceMessage.source,
            SourceMessage.max_length,
            SourceMessage.source_revision,
            Translation.text,
            Translation.state,
            Translation.version,
            TranslationVersion.origin,
        )
        .outerjoin(Translation, and_(Translation.message_id == SourceMessage.id, Translation.locale == incoming.locale))
        .outerjoin(
            TranslationVersion,
            and_(
                TranslationVersion.message_id == Translation.message_id,
                TranslationVersion.locale == Translation.locale,
                TranslationVersion.version == Translation.version,
            ),
        )
        .where(SourceMessage.namespace_id == namespace.id, SourceMessage.retired_at.is_(None))
    ).all()
    stored = [
        StoredTranslation(
            row.key,
            row.source,
            row.text or "",
            TranslationState(row.state or TranslationState.MISSING),
            row.version or 0,
            row.max_length,
        )
        for row in rows
    ]
    followed = {row.key: row.text for row in rows if row.text and row.origin == follows_origin}
    known_base = {**(base or {}), **followed} if base is not None or followed else None
    plan = plan_import(stored, incoming, policy, base=known_base, may_review=may_review)
    if is_dry_run or not plan.writes:
        return plan
    comments = {entry.key: entry.comment for entry in incoming.entries}
    by_key = {row.key: row for row in rows}
    texts = [
        NewText(
            by_key[change.key].id,
            change.after,
            change.state,
            # made of an older source than the current one
            by_key[change.key].source_revision - (1 if change.state is TranslationState.STALE else 0),
            change.version,
            comments[change.key],
        )
        for change in plan.writes
    ]
    written = store_texts(uow, namespace.id, incoming.locale, texts, origin=origin, author_id=author_id)
    if len(written) < len(texts):
        raise VersionConflict(conflicts=len(texts) - len(written))
    return plan
