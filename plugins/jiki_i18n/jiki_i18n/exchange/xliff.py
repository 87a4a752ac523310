"""XLIFF 2.0, for translation agencies: one `<unit>` a message, named by its key, ICU text as it is.

Documents are read without document types, entities or deep nesting, so that a hostile file costs nothing.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from xml.parsers import expat

from jiki_i18n.exchange.entries import (
    Entries,
    Entry,
    ExchangeError,
    TranslationState,
    agreed,
    agreed_locale,
    collect,
)
from jiki_i18n.locales import SOURCE_LOCALE

_CORE = "urn:oasis:names:tc:xliff:document:2.0"
_LIMITS = "urn:oasis:names:tc:xliff:sizerestriction:2.0"
_DEPTH_LIMIT = 16
_DESCRIPTION, _COMMENT = "description", "comment"

#: Our states in XLIFF's words: (state, subState).
_STATES: dict[TranslationState, tuple[str, str | None]] = {
    TranslationState.MISSING: ("initial", None),
    TranslationState.MACHINE: ("translated", "jiki:machine"),
    TranslationState.DRAFT: ("translated", None),
    TranslationState.STALE: ("translated", "jiki:stale"),
    TranslationState.REVIEWED: ("reviewed", None),
}
_OWN_STATES = {sub_state: state for state, (_, sub_state) in _STATES.items() if sub_state}


def read(data: bytes, *, locale: str | None = None, namespace: str | None = None) -> Entries:
    """Entries of the one `<file>` of an XLIFF 2 document. Segments of a unit are joined; one without a
    target makes it missing; annotations (`<mrk>`) are dropped and their text kept. Raises ExchangeError
    for document types, inline codes and whatever is no XLIFF 2."""
    root = _parse(data)
    if root.tag != _name("xliff"):
        raise ExchangeError([f"the root is {root.tag}, not xliff of XLIFF 2.0: export it as XLIFF 2"])
    files = root.findall(_name("file"))
    if len(files) != 1:
        raise ExchangeError([f"{len(files)} <file> elements: one file holds one namespace"])
    rows, faults = [], []
    for unit in files[0].iter(_name("unit")):
        key = unit.get("name", unit.get("id", ""))
        try:
            rows.append((key, _fields(unit)))
        except ExchangeError as error:
            faults += [f"unit {key!r}: {fault}" for fault in error.faults]
    if faults:
        raise ExchangeError(faults)
    return Entries(
        agreed_locale(root.get("trgLang"), locale),
        agreed("namespace", files[0].get("id"), namespace),
        collect(rows),
    )


def write(entries: Entries) -> bytes:
    """The XLIFF document: descriptions and comments are notes, limits are of the size restriction module,
    states of ours that XLIFF lacks are a `subState`."""
    root = ElementTree.Element(
        "xliff",
        {
            "xmlns": _CORE,
            "xmlns:slr": _LIMITS,
            "version": "2.0",
            "srcLang": SOURCE_LOCALE,
            "trgLang": entries.locale,
        },
    )
    file = ElementTree.SubElement(root, "file", id=entries.namespace)
    ElementTree.SubElement(file, "slr:profiles", generalProfile="xliff:codepoints")
    for number, entry in enumerate(entries.entries, start=1):
        _write_unit(file, number, entry)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    # A carriage return written as itself is read back as a line feed (XML 1.0, 2.11).
    return document.replace(b"\r", b"&#13;") + b"\n"


def _write_unit(file: ElementTree.Element, number: int, entry: Entry) -> None:
    unit = ElementTree.SubElement(file, "unit", id=f"u{number}", name=entry.key)
    if entry.max_length is not None:
        unit.set("slr:sizeRestriction", str(entry.max_length))
    notes = [(_DESCRIPTION, entry.description), (_COMMENT, entry.comment)]
    if any(text for _, text in notes):
        parent = ElementTree.SubElement(unit, "notes")
        for category, text in notes:
            if text:
                ElementTree.SubElement(parent, "note", category=category).text = text
    state, sub_state = _STATES[entry.state]
    segment = ElementTree.SubElement(unit, "segment", state=state)
    if sub_state is not None:
        segment.set("subState", sub_state)
    _write_text(segment, "source", entry.source)
    if entry.text:
        _write_text(segment, "target", entry.text)


def _write_text(segment: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(segment, tag, {"xml:space": "preserve"}).text = text


def _fields(unit: ElementTree.Element) -> dict[str, object]:
    segments = [part for part in unit if part.tag in (_name("segment"), _name("ignorable"))]
    targets = [_target(part) for part in segments]
    is_translated = bool(targets) and all(target is not None for target in targets)
    limit = unit.get(f"{{{_LIMITS}}}sizeRestriction", "")
    return {
        "text": "".join(target or "" for target in targets) if is_translated else "",
        "source": "".join(_text(part.find(_name("source"))) for part in segments),
        "description": _note(unit, _DESCRIPTION),
        "comment": _note(unit, _COMMENT),
        "state": _state(segments),
        "max_length": int(limit) if limit.isdecimal() else None,
    }


def _target(part: ElementTree.Element) -> str | None:
    target = part.find(_name("target"))
    if target is not None:
        return _text(target)
    # What lies between segments is kept as it is in the source.
    return _text(part.find(_name("source"))) if part.tag == _name("ignorable") else None


def _text(element: ElementTree.Element | None) -> str:
    if element is None:
        return ""
    for inside in element.iter():
        if inside is not element and inside.tag not in (_name("mrk"), _name("sm"), _name("em")):
            raise ExchangeError([f"inline element {inside.tag.rpartition('}')[2]}: write it as text"])
    return "".join(element.itertext())


def _note(unit: ElementTree.Element, category: str) -> str:
    notes = unit.iterfind(f"{_name('notes')}/{_name('note')}")
    return "\n".join(note.text or "" for note in notes if note.get("category", _DESCRIPTION) == category)


def _state(segments: Sequence[ElementTree.Element]) -> TranslationState:
    """A unit is as good as the least of its segments."""
    of_segments = [part for part in segments if part.tag == _name("segment")]
    for part in of_segments:
        own = _OWN_STATES.get(part.get("subState", ""))
        if own is not None:
            return own
    is_reviewed = all(part.get("state") in ("reviewed", "final") for part in of_segments)
    return TranslationState.REVIEWED if is_reviewed else TranslationState.DRAFT


def _name(tag: str) -> str:
    return f"{{{_CORE}}}{tag}"


def _parse(data: bytes) -> ElementTree.Element:
    """The tree of a document that was first seen to declare nothing and to be shallow."""
    depth = 0

    def refuse_doctype(*_: object) -> None:
        raise ExchangeError(["a document type declaration: remove the DOCTYPE"])

    def descend(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH_LIMIT:
            raise ExchangeError([f"elements nested more than {_DEPTH_LIMIT} deep"])

    def ascend(*_: object) -> None:
        nonlocal depth
        depth -= 1

    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = refuse_doctype
    guard.StartElementHandler = descend
    guard.EndElementHandler = ascend
    try:
        guard.Parse(data, True)
        return ElementTree.fromstring(data)
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        if isinstance(error, ExchangeError):
            raise
        raise ExchangeError([f"not XML: {error}"]) from None
