"""The exchange formats by the name that commands and the API use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from jiki_i18n.exchange import csv_table, i18next_json, nested_json, po, xliff
from jiki_i18n.exchange.entries import Entries


class Reader(Protocol):
    """Reads a document. `locale` and `namespace` must agree with the file when it says them, and must be
    given when it doesn't. Raises ExchangeError."""

    def __call__(self, data: bytes, *, locale: str | None = None, namespace: str | None = None) -> Entries: ...


class Writer(Protocol):
    """Writes a document that `Reader` reads back. Raises ExchangeError for what the format can't express."""

    def __call__(self, entries: Entries) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name, the ending of its files, its media type, and whether it carries sources, states
    and notes or keys and texts only."""

    name: str
    suffix: str
    media_type: str
    has_details: bool
    read: Reader
    write: Writer


_ALL = (
    Format("json", ".json", "application/json", False, nested_json.read, nested_json.write),
    Format("i18next", ".json", "application/json", False, i18next_json.read, i18next_json.write),
    Format("po", ".po", "text/x-gettext-translation", True, po.read, po.write),
    Format("xliff", ".xlf", "application/xliff+xml", True, xliff.read, xliff.write),
    Format("csv", ".csv", "text/csv", True, csv_table.read, csv_table.write),
)

#: Every format by its name.
FORMATS: Mapping[str, Format] = {each.name: each for each in _ALL}
