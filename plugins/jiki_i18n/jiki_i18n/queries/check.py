"""Everything a release would want to know of the stored texts, one namespace and locale at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from jiki_core.db import reading
from jiki_i18n.catalogues import CatalogueError
from jiki_i18n.icu import MessageSyntaxError
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.messages import Message, check_message, parse_message
from jiki_i18n.models import Namespace, SourceMessage, Translation
from jiki_i18n.queries.catalogue_texts import NamespaceFacts, build_catalogue, namespace_facts
from jiki_i18n.queries.statistics import completeness


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: which check, where, and what."""

    code: str
    key: str
    detail: str


@dataclass(frozen=True, slots=True)
class CheckedCatalogue:
    """The findings for one namespace in one locale; `percent` is how much of it is reviewed."""

    locale: str
    namespace: str
    percent: int
    message_count: int
    findings: tuple[Finding, ...]


def check_all(
    locales: Sequence[str], namespaces: Sequence[str] = (), *, minimum_percent: int = 0
) -> Iterator[CheckedCatalogue]:
    """Checks every message that could be published; holds one catalogue in memory. `minimum_percent` is the gate of
    completeness for each catalogue. Raises NamespaceNotFound."""
    names = [namespace_facts(name).name for name in namespaces]
    for facts in completeness(locales, names):
        findings = [*_texts(namespace_facts(facts.namespace), facts.locale)]
        if facts.percent < minimum_percent:
            detail = f"{facts.percent} % of {facts.total_count} messages are reviewed, {minimum_percent} % are needed"
            findings.append(Finding("incomplete", "", detail))
        yield CheckedCatalogue(facts.locale, facts.namespace, facts.percent, facts.total_count, tuple(findings))


def namespace_names() -> list[str]:
    """Every namespace, by name."""
    return list(reading().scalars(select(Namespace.name).order_by(Namespace.name)))


def _texts(namespace: NamespaceFacts, locale: str) -> Iterator[Finding]:
    query = (
        select(SourceMessage.key, SourceMessage.source, SourceMessage.max_length)
        .where(SourceMessage.namespace_id == namespace.id, SourceMessage.retired_at.is_(None))
        .order_by(SourceMessage.key)
    )
    if locale == SOURCE_LOCALE:
        for key, source, limit in reading().execute(query):
            if not source:
                yield Finding("source_missing", key, "the key has no English text")
            for problem in check_message(source, locale, max_length=limit):
                yield Finding(problem.code, key, problem.detail)
    else:
        translated = query.join(Translation, Translation.message_id == SourceMessage.id).where(
            Translation.locale == locale
        )
        for key, source, limit, text in reading().execute(translated.add_columns(Translation.text)):
            for problem in check_message(text, locale, source=_parsed(source), max_length=limit):
                yield Finding(problem.code, key, problem.detail)
    try:
        build_catalogue(namespace, locale, includes_unreviewed=True)
    except CatalogueError as error:
        for fault in error.faults:
            yield Finding("layout", "", fault)


def _parsed(source: str) -> Message | None:
    try:
        return parse_message(source)
    except MessageSyntaxError:
        return None  # found in English
