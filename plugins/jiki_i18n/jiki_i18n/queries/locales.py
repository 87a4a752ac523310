"""Which locales this environment serves: from memory, with one small read every few seconds in production only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import cast

from flask import Flask, current_app
from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.runtime import runtime
from jiki_i18n.errors import LocaleNotFound
from jiki_i18n.locales import LOCALES, SOURCE_LOCALE, LocaleState, map_tag, supported_locales
from jiki_i18n.models import LocaleStanding
from jiki_i18n.settings import I18nSettings

_EXTENSION = "jiki.i18n.locale_states"


class LocaleStates:
    """The states of the locales as one process knows them, at most `ttl_seconds` old."""

    def __init__(self, ttl_seconds: int) -> None:
        self._ttl_seconds = ttl_seconds
        self._read_at = float("-inf")
        self._states: Mapping[str, LocaleState] = {}

    def get(self) -> Mapping[str, LocaleState]:
        """Tag → state, of every locale."""
        if time.monotonic() - self._read_at >= self._ttl_seconds:
            self._states = locale_states()
            self._read_at = time.monotonic()
        return self._states

    def forget(self) -> None:
        """At once for this process; others follow within their ttl."""
        self._read_at = float("-inf")


def remember_locale_states(app: Flask, settings: I18nSettings) -> None:
    app.extensions[_EXTENSION] = LocaleStates(settings.locale_states_ttl_seconds)


def forget_locale_states() -> None:
    cast(LocaleStates, current_app.extensions[_EXTENSION]).forget()


def locale_states() -> dict[str, LocaleState]:
    """The states of all locales: stored where they were changed, else their first."""
    stored = {
        row.tag: LocaleState(row.state) for row in reading().execute(select(LocaleStanding.tag, LocaleStanding.state))
    }
    return {tag: stored.get(tag, locale.state) for tag, locale in LOCALES.items()}


def served_locales() -> tuple[str, ...]:
    """SUPPORTED of contract.md 3.10: the live locales in production, all elsewhere; no query outside production."""
    if not runtime().settings.is_production:
        return supported_locales(is_production=False)
    known = cast(LocaleStates, current_app.extensions[_EXTENSION]).get()
    return supported_locales(is_production=True, states=known)


def served_locale(tag: str) -> str:
    """The served locale that a tag stands for (`hu-HU` → `hu`). Raises LocaleNotFound."""
    found = map_tag(tag, (*served_locales(), SOURCE_LOCALE))
    if found is None:
        raise LocaleNotFound()
    return found


def known_locale(tag: str) -> str:
    """`tag` itself when it is a locale of ours, drafts included. Raises LocaleNotFound."""
    if tag not in LOCALES:
        raise LocaleNotFound()
    return tag


def translatable_locale(tag: str) -> str:
    """A locale of ours that is not the source. Raises LocaleNotFound."""
    if tag == SOURCE_LOCALE:
        raise LocaleNotFound()
    return known_locale(tag)
