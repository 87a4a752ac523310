"""Answers to the core's questions about languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jiki_i18n import locales as rules
from jiki_i18n.locales import ALL_LOCALES
from jiki_i18n.queries.locales import served_locales
from jiki_i18n.queries.texts import published_texts


class CatalogueTranslator:
    """Answers `Translator`. Choosing a locale reads memory, not the database."""

    def translate(self, key: str, locale: str, default: str) -> str:
        """`key` is "<namespace>:<key>"."""
        return self.translate_many({key: default}, locale)[key]

    def translate_many(self, defaults: Mapping[str, str], locale: str) -> dict[str, str]:
        """One look-up for each namespace, whatever the number of keys."""
        namespaces = {key.partition(":")[0] for key in defaults if ":" in key}
        texts = {name: published_texts(locale, name) for name in namespaces}
        found: dict[str, str] = {}
        for key, default in defaults.items():
            namespace, _, rest = key.partition(":")
            found[key] = texts.get(namespace, {}).get(rest) or default
        return found

    def resolve_locale(self, explicit: str | None, tags: Sequence[str]) -> str:
        return rules.resolve_locale(explicit, tags, served_locales())

    def offered_locales(self, explicit: str | None, tags: Sequence[str]) -> Sequence[str]:
        return rules.locales_member(explicit, self.resolve_locale(explicit, tags), tags)

    def known_locales(self) -> Sequence[str]:
        return ALL_LOCALES
