"""Catalogues: the texts of one namespace in one locale as the bytes a front-end loads.

Pure: equal texts give equal bytes and so the same content-hashed name, whoever generates them and when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from jiki_i18n.i18next import NotExpressible, to_i18next
from jiki_i18n.icu import MessageSyntaxError
from jiki_i18n.keys import KeyConflict, nest
from jiki_i18n.locales import fallback_chain

#: Hex digits of the content hash in a file's name (80 bits).
_NAME_DIGITS = 20


class Layout(StrEnum):
    """How a catalogue holds its messages."""

    NESTED = "nested"  #: objects in objects, ICU messages: next-intl, i18next with its ICU plugin
    FLAT = "flat"  #: one object, escaped keys (`login\\.title`), ICU messages
    I18NEXT = "i18next"  #: objects in objects, i18next's own placeholders and plural suffixes


class CatalogueError(ValueError):
    """Texts that can't be laid out; every fault names its key."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One generated catalogue: canonical UTF-8 JSON and the SHA-256 of it in hex."""

    locale: str
    namespace: str
    body: bytes
    digest: str

    @property
    def file_name(self) -> str:
        """Changes exactly when the content does, so it may be cached for ever."""
        return f"{self.namespace}.{self.digest[:_NAME_DIGITS]}.json"

    @property
    def etag(self) -> str:
        """A strong entity tag, quotes included."""
        return f'"{self.digest[:_NAME_DIGITS]}"'


def generate_catalogue(
    locale: str, namespace: str, texts: Mapping[str, Mapping[str, str]], layout: Layout = Layout.NESTED
) -> Catalogue:
    """The catalogue of a namespace for `locale` from `texts` (locale → key → ICU text), merged along the
    fallback chain of the locale. Raises CatalogueError."""
    return pack(locale, namespace, merge_fallbacks(fallback_chain(locale), texts), layout)


def merge_fallbacks(chain: Iterable[str], texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The first text of each key along `chain`; an empty text is a missing one."""
    merged: dict[str, str] = {}
    for locale in chain:
        for key, text in texts.get(locale, {}).items():
            if text:
                merged.setdefault(key, text)
    return merged


def pack(locale: str, namespace: str, texts: Mapping[str, str], layout: Layout = Layout.NESTED) -> Catalogue:
    """The catalogue that holds exactly these texts. Raises CatalogueError."""
    laid_out = _i18next_values(locale, texts) if layout is Layout.I18NEXT else texts
    try:
        body = canonical_json(laid_out if layout is Layout.FLAT else nest(laid_out))
    except KeyConflict as conflict:
        raise CatalogueError(conflict.places) from None
    return Catalogue(locale, namespace, body, sha256(body).hexdigest())


class NamedFile(Protocol):
    """A catalogue, or the record of a published one."""

    @property
    def namespace(self) -> str: ...

    @property
    def file_name(self) -> str: ...


def pack_pointer(locale: str, catalogues: Iterable[NamedFile]) -> bytes:
    """The document that names the current files of a locale; replacing it publishes all of them at once."""
    files = {each.namespace: each.file_name for each in catalogues}
    return canonical_json({"locale": locale, "catalogues": files})


def canonical_json(value: Mapping[str, object]) -> bytes:
    """The one spelling of a JSON value: keys in order, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _i18next_values(locale: str, texts: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    faults: list[str] = []
    for key, text in texts.items():
        try:
            written = to_i18next(key, text, locale)
        except (NotExpressible, MessageSyntaxError) as error:
            faults.append(f"{key}: {error}")
            continue
        faults += [f"{key}: {taken} is also another message's key" for taken in written if taken in values]
        values.update(written)
    if faults:
        raise CatalogueError(faults)
    return values
