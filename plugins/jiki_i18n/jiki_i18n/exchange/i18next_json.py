"""Nested JSON in i18next's own syntax (JSON format v4): `{{name}}`, and plurals as `key_one`, `key_other`.

What this syntax can't say is refused by name when writing, never written differently: use ICU JSON for it.
"""

from __future__ import annotations

from jiki_i18n.exchange import nested_json
from jiki_i18n.exchange.entries import Entries, ExchangeError, agreed, entries_from_texts
from jiki_i18n.i18next import NotExpressible, from_i18next, plural_from_i18next, plural_groups, to_i18next
from jiki_i18n.icu import MessageSyntaxError, same_message


def read(data: bytes, *, locale: str | None = None, namespace: str | None = None) -> Entries:
    """Entries with ICU texts from an i18next document; name its locale (plural suffixes depend on it) and
    namespace. Raises ExchangeError for what has no ICU counterpart (`{{- raw}}`, a key that is both a plain
    message and a plural)."""
    locale, namespace = agreed("locale", None, locale), agreed("namespace", None, namespace)
    texts = _icu_texts(nested_json.read_texts(data), locale)
    return entries_from_texts(texts, locale=locale, namespace=namespace)


def write(entries: Entries) -> bytes:
    """The i18next document. Reading it gives the same messages again (`same_message`: plurals come back in
    their canonical spelling); entries of which that is not true are refused by ExchangeError, each with the
    reason."""
    written: dict[str, str] = {}
    faults: list[str] = []
    for entry in entries.entries:
        try:
            values = to_i18next(entry.key, entry.text, entries.locale)
        except (NotExpressible, MessageSyntaxError) as error:
            faults.append(f"{entry.key}: {error}")
            continue
        faults += [f"{entry.key}: its key {key} is also that of another message" for key in values if key in written]
        written.update(values)
    if faults:
        raise ExchangeError(faults)
    _refuse_changes(entries, _icu_texts(written, entries.locale))
    return nested_json.write_texts(written)


def _refuse_changes(entries: Entries, back: dict[str, str]) -> None:
    faults = []
    for key, text in entries.texts().items():
        if key not in back:
            faults.append(f"{key}: would be read as part of a plural; rename it")
        elif not same_message(text, back[key]):
            faults.append(f"{key}: would come back as {back[key]!r}; write it that way first")
    if faults:
        raise ExchangeError(faults)


def _icu_texts(values: dict[str, str], locale: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    faults: list[str] = []
    rest = dict(values)
    for group in plural_groups(tuple(values), locale):
        members = {category: rest.pop(key) for category, key in group.members.items()}
        if group.key in values or group.key in texts:
            faults.append(f"{group.key}: there is a plural and another message of this key")
            continue
        try:
            texts[group.key] = plural_from_i18next(members, is_ordinal=group.is_ordinal, locale=locale)
        except NotExpressible as error:
            faults.append(f"{group.key}: {error}")
    for key, value in rest.items():
        try:
            texts[key] = from_i18next(value)
        except NotExpressible as error:
            faults.append(f"{key}: {error}")
    if faults:
        raise ExchangeError(faults)
    return texts
