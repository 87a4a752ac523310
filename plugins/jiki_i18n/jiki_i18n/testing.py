"""Factories for tests of i18n and of plugins that bring texts; they go through the commands.

Strategies for hypothesis are in `jiki_i18n.strategies`, so that this module needs none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_i18n.catalogues import Layout
from jiki_i18n.commands.import_entries import import_translations
from jiki_i18n.commands.namespaces import ensure_namespace
from jiki_i18n.commands.sync_keys import sync_keys
from jiki_i18n.exchange import ConflictPolicy, Entries, Entry, TranslationState
from jiki_i18n.models import Namespace, SourceMessage


@dataclass(frozen=True)
class SampleMessages:
    """A namespace made for a test, with the ids of its messages by key."""

    namespace: str
    ids: Mapping[str, int]


def make_messages(
    app: Flask, sources: Mapping[str, str], *, namespace: str = "shop", layout: Layout = Layout.NESTED
) -> SampleMessages:
    """Keys with their English texts, in a namespace that is made when there is none."""
    entries = [Entry(key, source) for key, source in sources.items()]
    with app.app_context(), unit_of_work() as uow:
        namespace_id = ensure_namespace(uow, namespace, layout=layout)
        plan = sync_keys(uow, namespace_id, entries, retires_missing=False)
    refused = [each for each in plan.keys if each.problems]
    assert not refused, refused
    return SampleMessages(namespace, message_ids(app, namespace))


def translate(
    app: Flask,
    locale: str,
    texts: Mapping[str, str],
    *,
    namespace: str = "shop",
    state: TranslationState = TranslationState.REVIEWED,
    **options: Any,
) -> None:
    """Stores translations, reviewed unless told otherwise."""
    entries = tuple(Entry(key, text, state=state) for key, text in texts.items())
    with app.app_context(), unit_of_work() as uow:
        plan = import_translations(
            uow, Entries(locale, namespace, entries), ConflictPolicy.THEIRS, may_review=True, **options
        )
    refused = [each for each in plan.changes if each.problems]
    assert not refused, refused


def message_ids(app: Flask, namespace: str) -> dict[str, int]:
    """Key → id of a namespace's messages."""
    with app.app_context():
        rows = reading().execute(
            select(SourceMessage.key, SourceMessage.id)
            .join(Namespace, Namespace.id == SourceMessage.namespace_id)
            .where(Namespace.name == namespace)
        )
        return {row.key: row.id for row in rows}
