"""How complete each locale is: one grouped statement over all translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from jiki_core.db import reading
from jiki_i18n.exchange import TranslationState
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.models import Namespace, SourceMessage, Translation


@dataclass(frozen=True, slots=True)
class Completeness:
    """Messages of a namespace in a locale, by state."""

    locale: str
    namespace: str
    total_count: int
    counts: Mapping[TranslationState, int] = field(default_factory=dict)

    @property
    def reviewed_count(self) -> int:
        return self.counts.get(TranslationState.REVIEWED, 0)

    @property
    def missing_count(self) -> int:
        return self.total_count - sum(self.counts.values())

    @property
    def percent(self) -> int:
        """Share of reviewed messages, rounded down: 100 means all. Of nothing, all is done."""
        return 100 * self.reviewed_count // self.total_count if self.total_count else 100


def completeness(locales: Sequence[str], namespaces: Sequence[str] = ()) -> list[Completeness]:
    """For each locale and namespace, in the order of the locales given and of names. Messages without a source text
    count for no locale but English, where they are missing."""
    totals = (
        select(
            Namespace.name,
            func.count().label("all"),
            func.count().filter(SourceMessage.source != "").label("written"),
        )
        .join(SourceMessage, SourceMessage.namespace_id == Namespace.id)
        .where(SourceMessage.retired_at.is_(None))
        .group_by(Namespace.name)
        .order_by(Namespace.name)
    )
    states = (
        select(Namespace.name, Translation.locale, Translation.state, func.count().label("messages"))
        .join(SourceMessage, SourceMessage.namespace_id == Namespace.id)
        .join(Translation, Translation.message_id == SourceMessage.id)
        .where(SourceMessage.retired_at.is_(None), SourceMessage.source != "", Translation.locale.in_(list(locales)))
        .group_by(Namespace.name, Translation.locale, Translation.state)
    )
    if namespaces:
        totals = totals.where(Namespace.name.in_(list(namespaces)))
        states = states.where(Namespace.name.in_(list(namespaces)))
    counts: dict[tuple[str, str], dict[TranslationState, int]] = {}
    for name, locale, state, messages in reading().execute(states):
        counts.setdefault((locale, name), {})[TranslationState(state)] = messages
    found = []
    all_totals = reading().execute(totals).all()
    for locale in locales:
        for row in all_totals:
            if locale == SOURCE_LOCALE:
                found.append(Completeness(locale, row.name, row.all, {TranslationState.REVIEWED: row.written}))
            else:
                found.append(Completeness(locale, row.name, row.written, counts.get((locale, row.name), {})))
    return found


def locale_completeness(locale: str) -> Completeness:
    """All namespaces of a locale together."""
    parts = completeness([locale])
    together: dict[TranslationState, int] = {}
    for part in parts:
        for state, count in part.counts.items():
            together[state] = together.get(state, 0) + count
    return Completeness(locale, "", sum(part.total_count for part in parts), together)
