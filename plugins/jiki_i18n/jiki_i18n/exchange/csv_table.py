"""CSV for spreadsheets: one row a message, with its source beside it.

Cells that a spreadsheet would run as a formula get an apostrophe, which reading takes away again.
"""

from __future__ import annotations

import csv
import io

from jiki_i18n.exchange.entries import (
    Entries,
    Entry,
    ExchangeError,
    TranslationState,
    agreed,
    agreed_locale,
    collect,
    decoded,
)

_COLUMNS = ("key", "source", "text", "state", "description", "comment", "max_length", "locale", "namespace")
_REQUIRED = ("key", "text")
_FORMULA_STARTS = "=+-@\t\r"
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the system's 8-bit encoding


def read(data: bytes, *, locale: str | None = None, namespace: str | None = None) -> Entries:
    """Entries from a table with a row of column names, separated by commas or (as some spreadsheets save it)
    semicolons or tabs; only `key` and `text` are required. Raises ExchangeError with row numbers."""
    text = decoded(data)
    rows = _rows(text)
    header = rows[0] if rows else []
    faults = [f"no column {name!r} in the first row" for name in _REQUIRED if name not in header]
    faults += [f"unknown column {name!r}: there are {', '.join(_COLUMNS)}" for name in header if name not in _COLUMNS]
    faults += [f"two columns {name!r}" for name in _COLUMNS if header.count(name) > 1]
    if faults:
        raise ExchangeError(faults)
    records = []
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != len(header):
            faults.append(f"row {number}: {len(row)} cells under {len(header)} columns")
            continue
        cells = {name: _uncell(cell) for name, cell in zip(header, row, strict=True)}
        try:
            records.append((cells["key"], _fields(cells)))
            locale = agreed_locale(cells.get("locale") or locale, locale)
            namespace = agreed("namespace", cells.get("namespace") or namespace, namespace)
        except ExchangeError as error:
            faults += [f"row {number}: {fault}" for fault in error.faults]
    if faults:
        raise ExchangeError(faults)
    return Entries(agreed("locale", None, locale), agreed("namespace", None, namespace), collect(records))


def write(entries: Entries) -> bytes:
    """The table, RFC 4180 with every cell quoted, UTF-8 with a byte order mark."""
    out = io.StringIO(newline="")
    table = csv.writer(out, quoting=csv.QUOTE_ALL)
    table.writerow(_COLUMNS)
    for entry in entries.entries:
        table.writerow([_cell(value) for value in _values(entry, entries)])
    return (_BYTE_ORDER_MARK + out.getvalue()).encode()


def _values(entry: Entry, entries: Entries) -> tuple[str, ...]:
    return (
        entry.key,
        entry.source,
        entry.text,
        str(entry.state),
        entry.description,
        entry.comment,
        "" if entry.max_length is None else str(entry.max_length),
        entries.locale,
        entries.namespace,
    )


def _rows(text: str) -> list[list[str]]:
    first_line = text.split("\n", 1)[0]
    separator = max(",;\t", key=first_line.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise ExchangeError([f"not CSV: {error}"]) from None


def _fields(cells: dict[str, str]) -> dict[str, object]:
    state, limit = cells.get("state", ""), cells.get("max_length", "")
    if state and state not in list(TranslationState):
        raise ExchangeError([f"state {state!r}: there are {', '.join(TranslationState)}"])
    if limit and not (limit.isascii() and limit.isdecimal()):
        raise ExchangeError([f"max_length {limit!r} is not a number"])
    return {
        "text": cells["text"],
        "source": cells.get("source", ""),
        "description": cells.get("description", ""),
        "comment": cells.get("comment", ""),
        "state": TranslationState(state or TranslationState.MISSING),
        "max_length": int(limit) if limit else None,
    }


def _cell(value: str) -> str:
    return f"'{value}" if value[:1] in tuple(_FORMULA_STARTS + "'") else value


def _uncell(cell: str) -> str:
    is_escaped = cell[:1] == "'" and cell[1:2] in tuple(_FORMULA_STARTS + "'")
    return cell[1:] if is_escaped else cell
