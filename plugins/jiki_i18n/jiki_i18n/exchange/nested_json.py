"""Nested JSON with ICU messages, as next-intl (and i18next with its ICU plugin) reads it.

It holds keys and texts only: states, sources and notes are not in the file.
"""

from __future__ import annotations

import json
from typing import Any

from jiki_i18n.exchange.entries import Entries, ExchangeError, agreed, decoded, entries_from_texts
from jiki_i18n.keys import KeyConflict, Tree, flatten, nest


def read(data: bytes, *, locale: str | None = None, namespace: str | None = None) -> Entries:
    """Entries from a nested document; the file doesn't say its locale and namespace, so name them. Raises
    ExchangeError for what is no JSON object of objects and strings, and for a key given twice."""
    return entries_from_texts(
        read_texts(data),
        locale=agreed("locale", None, locale),
        namespace=agreed("namespace", None, namespace),
    )


def write(entries: Entries) -> bytes:
    """The nested document, indented, keys in order. Raises ExchangeError when a key is both a message and an
    object of others."""
    return write_texts(entries.texts())


def read_texts(data: bytes) -> dict[str, str]:
    """Text by key of a nested document. Raises ExchangeError."""
    try:
        document = json.loads(decoded(data), object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except RecursionError:
        raise ExchangeError(["the objects are nested too deep"]) from None
    except ExchangeError:
        raise
    except ValueError as error:
        raise ExchangeError([f"not JSON: {error}"]) from None
    if not isinstance(document, dict):
        raise ExchangeError(["the document is not a JSON object"])
    try:
        return flatten(document)
    except KeyConflict as conflict:
        raise ExchangeError(conflict.places) from None


def write_texts(texts: dict[str, str]) -> bytes:
    """The nested document of texts by key. Raises ExchangeError."""
    try:
        tree = nest(texts)
    except KeyConflict as conflict:
        raise ExchangeError(conflict.places) from None
    return (json.dumps(tree, ensure_ascii=False, indent=2) + "\n").encode()


def _without_repeats(pairs: list[tuple[str, Any]]) -> Tree:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ExchangeError([f"{name!r} is given twice in one object" for name in repeated])
    return tree


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
