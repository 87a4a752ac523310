"""Gettext PO, for translators' desktop tools: `msgctxt` is the key, `msgid` the source, `msgstr` the text.

Messages stay ICU text in one string; gettext's own plural forms are not used and are refused when reading.
"""

from __future__ import annotations

import re

import polib

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

_LOCALE_HEADER = "Language"
_NAMESPACE_HEADER = "X-Jiki-Namespace"
_FUZZY = "fuzzy"
_STATE_FLAG = "jiki-"
_LENGTH_FLAG = "max-length:"

# polib splits files with str.splitlines, which takes these for ends of lines in the middle of a string. While
# polib has the text they are noncharacters, which entries never hold.
_LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_HIDE = {ord(char): chr(0xFDD0 + index) for index, char in enumerate(_LINE_ENDS)}
_SHOW = {ord(hidden): chr(char) for char, hidden in _HIDE.items()}

# A comment that polib reads back as it was written; any other is written as one quoted string.
_PLAIN_COMMENT = re.compile(r"(?:[^\s#\"](?:[^\n\r]*[^\s])?)(?:\n[^\s#\"](?:[^\n\r]*[^\s])?)*")
_QUOTED_COMMENT = re.compile(r'"(.*)"')


def read(data: bytes, *, locale: str | None = None, namespace: str | None = None) -> Entries:
    """Entries from a PO file with a header; what is `fuzzy` is a draft, what is not is reviewed, unless our
    own flags say more. Obsolete entries are left out. Raises ExchangeError with line numbers."""
    text = decoded(data).replace("\r\n", "\n").translate(_HIDE)
    try:
        # polib opens what looks like the path of a file: no path begins with a comment and an end of line.
        document = polib.pofile("#\n" + text, encoding="utf-8", wrapwidth=0)
    except (OSError, ValueError, IndexError) as error:
        raise ExchangeError([f"not a PO file: {_moved_up(str(error))}"]) from None
    if not document.metadata:
        raise ExchangeError(['the file has no header (an entry with msgid "" and no msgctxt)'])
    rows, faults = [], []
    for item in document:
        if item.obsolete:
            continue
        place = f"line {item.linenum - 1}"
        if item.msgctxt is None:
            faults.append(f"{place}: no msgctxt, which names the key")
        elif item.msgid_plural:
            faults.append(f"{place}: plural forms of gettext; write the plural as one ICU message")
        else:
            rows.append((item.msgctxt.translate(_SHOW), _fields(item)))
    if faults:
        raise ExchangeError(faults)
    return Entries(
        agreed_locale(document.metadata.get(_LOCALE_HEADER, "").replace("_", "-"), locale),
        agreed("namespace", document.metadata.get(_NAMESPACE_HEADER), namespace),
        collect(rows),
    )


def write(entries: Entries) -> bytes:
    """The PO file: one entry a message, unwrapped, description as `#.` and translator's comment as `#`."""
    document = polib.POFile(wrapwidth=0)
    document.metadata = {
        _LOCALE_HEADER: entries.locale,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        _NAMESPACE_HEADER: entries.namespace,
    }
    for entry in entries.entries:
        document.append(
            polib.POEntry(
                msgctxt=entry.key.translate(_HIDE),
                msgid=entry.source.translate(_HIDE),
                msgstr=entry.text.translate(_HIDE),
                comment=_comment(entry.description),
                tcomment=_comment(entry.comment),
                flags=_flags(entry),
            )
        )
    return str(document).translate(_SHOW).encode()


def _fields(item: polib.POEntry) -> dict[str, object]:
    limits = [flag.removeprefix(_LENGTH_FLAG) for flag in item.flags if flag.startswith(_LENGTH_FLAG)]
    return {
        "text": item.msgstr.translate(_SHOW),
        "source": item.msgid.translate(_SHOW),
        "description": _uncomment(item.comment),
        "comment": _uncomment(item.tcomment),
        "state": _state(item.flags),
        "max_length": int(limits[0]) if limits and limits[0].isdecimal() else None,
    }


def _flags(entry: Entry) -> list[str]:
    flags = []
    if entry.state not in (TranslationState.MISSING, TranslationState.REVIEWED):
        flags.append(_FUZZY)
        if entry.state is not TranslationState.DRAFT:
            flags.append(f"{_STATE_FLAG}{entry.state}")
    if entry.max_length is not None:
        flags.append(f"{_LENGTH_FLAG}{entry.max_length}")
    return flags


def _state(flags: list[str]) -> TranslationState:
    if _FUZZY not in flags:
        return TranslationState.REVIEWED  # also when our flag is still there: the translator cleared "fuzzy"
    for state in (TranslationState.MACHINE, TranslationState.STALE):
        if f"{_STATE_FLAG}{state}" in flags:
            return state
    return TranslationState.DRAFT


def _comment(text: str) -> str:
    hidden = text.translate(_HIDE)
    if not hidden or _PLAIN_COMMENT.fullmatch(hidden):
        return hidden
    return f'"{polib.escape(hidden)}"'


def _uncomment(comment: str) -> str:
    quoted = _QUOTED_COMMENT.fullmatch(comment)
    text: str = polib.unescape(quoted[1]) if quoted else comment
    return text.translate(_SHOW)


def _moved_up(error: str) -> str:
    """polib's message with the lines of the file, not of the text it was given."""
    return re.sub(r"line (\d+)", lambda match: f"line {int(match[1]) - 1}", error)
