"""Bringing keys: new sources, changed ones with their stale translations, and keys that nobody brings any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import insert, select, update

from jiki_core.db import UnitOfWork
from jiki_i18n.commands.catalogue_changes import mark_changed
from jiki_i18n.commands.import_entries import import_translations
from jiki_i18n.commands.namespaces import ensure_namespace, lock_sources
from jiki_i18n.commands.stale import make_stale
from jiki_i18n.commands.store_texts import Origin
from jiki_i18n.exchange import ConflictPolicy, Entries, Entry, ImportPlan, TranslationState
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.message_files import PackageMessages
from jiki_i18n.messages import parse_message
from jiki_i18n.models import SourceMessage
from jiki_i18n.source_plan import KeyOutcome, PlannedKey, SourcePlan, StoredKey, plan_sources


def stored_keys(uow: UnitOfWork, namespace_id: int) -> list[StoredKey]:
    """The keys of a namespace, retired ones too."""
    rows = uow.session.execute(
        select(
            SourceMessage.id,
            SourceMessage.key,
            SourceMessage.source,
            SourceMessage.description,
            SourceMessage.max_length,
            SourceMessage.source_revision,
            SourceMessage.retired_at.is_not(None).label("is_retired"),
        ).where(SourceMessage.namespace_id == namespace_id)
    )
    return [
        StoredKey(row.key, row.source, row.description, row.max_length, row.is_retired, row.id, row.source_revision)
        for row in rows
    ]


def sync_keys(
    uow: UnitOfWork, namespace_id: int, incoming: Sequence[Entry], *, retires_missing: bool, is_dry_run: bool = False
) -> SourcePlan:
    """Makes the namespace hold the keys of `incoming`, whose texts are English; returns what was (or would be) done.
    Invalid sources are left out and named in the plan."""
    lock_sources(uow, namespace_id, is_changing=True)
    plan = plan_sources(stored_keys(uow, namespace_id), incoming, retires_missing=retires_missing)
    if not is_dry_run:
        _carry_out(uow, namespace_id, plan)
    return plan


@dataclass(frozen=True, slots=True)
class SyncedPackage:
    """What became of a package's messages in one namespace."""

    namespace: str
    sources: SourcePlan
    translations: tuple[ImportPlan, ...]


def sync_package(uow: UnitOfWork, owner: str, files: PackageMessages, *, is_dry_run: bool = False) -> SyncedPackage:
    """Brings the keys and shipped translations of a plugin's namespace. What translators wrote since stays; a shipped
    text that nobody touched follows its file. Raises ValidationFailed when another plugin owns the namespace."""
    namespace_id = ensure_namespace(uow, files.namespace, owner=owner)
    plan = sync_keys(uow, namespace_id, files.source.entries, retires_missing=True, is_dry_run=is_dry_run)
    translations = tuple(
        import_translations(
            uow,
            _as_reviewed(each),
            ConflictPolicy.OURS,
            origin=Origin.SYNC,
            may_review=True,
            follows_origin=Origin.SYNC,
            is_dry_run=is_dry_run,
        )
        for each in files.translations
    )
    return SyncedPackage(files.namespace, plan, translations)


def _as_reviewed(entries: Entries) -> Entries:
    """Formats without states leave drafts; what a package ships was reviewed with its code."""
    reviewed = tuple(
        replace(each, state=TranslationState.REVIEWED) if each.state is TranslationState.DRAFT else each
        for each in entries.entries
    )
    return Entries(entries.locale, entries.namespace, reviewed)


def _carry_out(uow: UnitOfWork, namespace_id: int, plan: SourcePlan) -> None:
    added = plan.with_outcome(KeyOutcome.ADDED)
    written = plan.with_outcome(KeyOutcome.CHANGED, KeyOutcome.TOUCHED, KeyOutcome.REVIVED)
    retired = [each.stored.id for each in plan.with_outcome(KeyOutcome.RETIRED) if each.stored is not None]
    if added:
        rows = [
            {"namespace_id": namespace_id, "key": each.key, "created_at": uow.now, **_values(uow, each)}
            for each in added
        ]
        uow.session.execute(insert(SourceMessage), rows)
    for each in written:
        _update(uow, each)
    if retired:
        uow.session.execute(
            update(SourceMessage)
            .where(SourceMessage.id.in_(retired))
            .values(retired_at=uow.now, updated_at=uow.now, version=SourceMessage.version + 1)
        )
    changed = [each.stored.id for each in written if each.outcome is KeyOutcome.CHANGED and each.stored is not None]
    stale = make_stale(uow, changed)
    if added or written or retired:
        mark_changed(uow, [(namespace_id, SOURCE_LOCALE), *((namespace_id, locale) for locale in stale)])


def _update(uow: UnitOfWork, each: PlannedKey) -> None:
    assert each.stored is not None, "only keys that are stored are updated"
    says_more = each.outcome is KeyOutcome.CHANGED
    uow.session.execute(
        update(SourceMessage)
        .where(SourceMessage.id == each.stored.id)
        .values(
            **_values(uow, each),
            retired_at=None,
            source_revision=each.stored.source_revision + (1 if says_more else 0),
            version=SourceMessage.version + 1,
        )
    )


def _values(uow: UnitOfWork, each: PlannedKey) -> dict[str, object]:
    assert each.incoming is not None, "only keys that come are written"
    entry, stored = each.incoming, each.stored
    return {
        "source": entry.text,
        "description": entry.description or (stored.description if stored else ""),
        "max_length": entry.max_length if entry.max_length is not None or stored is None else stored.max_length,
        "placeholders": placeholders_of(entry.text),
        "updated_at": uow.now,
    }


def placeholders_of(source: str) -> list[str]:
    """Names of a valid message's arguments, in order of the alphabet."""
    return sorted(parse_message(source).arguments)
