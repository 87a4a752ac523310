"""What every exchange format reads and writes: the messages of one namespace in one locale.

Entries refuse what some format could not carry, so that each of them can promise exact round trips.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from jiki_i18n.keys import split_key
from jiki_i18n.locales import map_tag
from jiki_i18n.messages import MESSAGE_LIMIT_CHARACTERS

#: Names of namespaces are part of file names and addresses.
NAMESPACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)

# What PostgreSQL, XML or UTF-8 can't hold (lone surrogates, most control characters, noncharacters).
UNCARRIABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SHOWN_FAULTS = 10


class TranslationState(StrEnum):
    """What is known of a translation, from nothing to approved."""

    MISSING = "missing"
    MACHINE = "machine"
    DRAFT = "draft"
    REVIEWED = "reviewed"
    STALE = "stale"  #: the source has changed since it was written


class ExchangeError(ValueError):
    """A document that can't be read or entries that can't be written: every fault with its place."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        shown = "; ".join(self.faults[:_SHOWN_FAULTS])
        more = len(self.faults) - _SHOWN_FAULTS
        super().__init__(f"{shown}; and {more} more" if more > 0 else shown)


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: its key (escaped path), ICU text ("" is not translated), source text, what translators are
    told about it, what they noted, its state and its length limit in code points.

    Missing and empty mean the same: an empty text is always missing, and a text called missing is a draft (a
    translator filled it in, or the format has no states). Raises ExchangeError for a key that is no path, and
    for characters or lengths that some format can't carry."""

    key: str
    text: str
    source: str = ""
    description: str = ""
    comment: str = ""
    state: TranslationState = TranslationState.MISSING
    max_length: int | None = None

    def __post_init__(self) -> None:
        if not self.text:
            object.__setattr__(self, "state", TranslationState.MISSING)
        elif self.state is TranslationState.MISSING:
            object.__setattr__(self, "state", TranslationState.DRAFT)
        faults = [] if self.key else ["a message has an empty key"]
        for name in ("key", "text", "source", "description", "comment"):
            value = getattr(self, name)
            found = UNCARRIABLE.search(value)
            if found is not None:
                faults.append(f"{self.key!r}: the {name} has the character U+{ord(found[0]):04X}")
            if len(value) > MESSAGE_LIMIT_CHARACTERS:
                faults.append(f"{self.key!r}: the {name} is over {MESSAGE_LIMIT_CHARACTERS} characters long")
        try:
            split_key(self.key)
        except ValueError as error:
            faults.append(str(error))
        if self.max_length is not None and self.max_length < 1:
            faults.append(f"{self.key!r}: a length limit of {self.max_length}")
        if faults:
            raise ExchangeError(faults)


@dataclass(frozen=True, slots=True)
class Entries:
    """The messages of `namespace` in `locale`, by key, each once. Raises ExchangeError."""

    locale: str
    namespace: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        faults = []
        if not _TAG.fullmatch(self.locale):
            faults.append(f"{self.locale!r} is not a locale")
        if not NAMESPACE.fullmatch(self.namespace):
            faults.append(f"{self.namespace!r} is not a namespace: letters, digits, '_', '-' and '.'")
        times = Counter(entry.key for entry in self.entries)
        faults += [f"{key!r} is there {count} times" for key, count in times.items() if count > 1]
        if faults:
            raise ExchangeError(faults)
        object.__setattr__(self, "entries", tuple(sorted(self.entries, key=lambda entry: entry.key)))

    def texts(self) -> dict[str, str]:
        """Text by key."""
        return {entry.key: entry.text for entry in self.entries}


def entries_from_texts(texts: Mapping[str, str], *, locale: str, namespace: str) -> Entries:
    """Entries of a format that holds keys and texts only."""
    return Entries(locale, namespace, collect(((key, {"text": text}) for key, text in texts.items())))


def collect(rows: Iterable[tuple[str, Mapping[str, object]]]) -> tuple[Entry, ...]:
    """Entries from keys and field values, all faults reported at once. Raises ExchangeError."""
    entries: list[Entry] = []
    faults: list[str] = []
    for key, fields in rows:
        try:
            entries.append(Entry(key, **fields))  # type: ignore[arg-type]  # each format passes its own fields
        except ExchangeError as error:
            faults += error.faults
    if faults:
        raise ExchangeError(faults)
    return tuple(entries)


def agreed(what: str, found: str | None, given: str | None) -> str:
    """The locale or namespace of a document: what the file says, what the caller says, or both if they agree.
    Raises ExchangeError: a file for one is never read into another by mistake."""
    if found and given and found != given:
        raise ExchangeError([f"the file is for {what} {found}, not {given}"])
    if not found and not given:
        raise ExchangeError([f"the file doesn't say its {what}: name it"])
    return found or given or ""


def agreed_locale(found: str | None, given: str | None) -> str:
    """Like `agreed`; a file whose tag stands for the given locale (`hu-HU` for `hu`) agrees with it. Raises
    ExchangeError."""
    if found and given and map_tag(found, (given,)) == given:
        return given
    return agreed("locale", found, given)


def decoded(data: bytes) -> str:
    """UTF-8 text, with or without a byte order mark. Raises ExchangeError with the place of the bad byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExchangeError([f"byte {error.start} is not UTF-8: save the file as UTF-8"]) from None
