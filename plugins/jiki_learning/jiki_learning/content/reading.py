"""Reading a course folder: files and JSON objects whose faults become findings while reading goes on.

Each reader returns something harmless in place of what it could not read, so that one run finds every
mistake.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from uuid import UUID

from jiki_learning.content.course import SLUG_MAX_LENGTH, Origin, is_slug
from jiki_learning.content.located_json import JsonList, JsonObject, is_storable, parse_json
from jiki_learning.content.mistakes import Findings


class CourseFolder:
    """The files below one folder, by their path relative to it. Nothing outside the folder is ever read."""

    def __init__(self, root: Path, findings: Findings) -> None:
        self.root = root
        self.findings = findings

    def has(self, path: str) -> bool:
        return self._is_inside(path) and (self.root / path).exists()

    def names(self, path: str) -> list[str]:
        """Names of the files and folders in a folder, sorted; hidden ones left out."""
        folder = self.root / path
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))

    def text(self, path: str, wanted_by: Origin) -> str | None:
        """The text of a file that `wanted_by` asks for; None, and a mistake there, when it cannot be had."""
        if not self._is_inside(path):
            self.findings.mistake(wanted_by, f"{path} lies outside the course", "name a file of the course")
            return None
        try:
            text = (self.root / path).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            self.findings.mistake(wanted_by, f"{path} is missing", "add the file, or remove what asks for it")
        except (OSError, UnicodeDecodeError) as error:
            remedy = "make it a readable file of UTF-8 text"
            self.findings.mistake(wanted_by, f"{path} cannot be read ({_reason(error)})", remedy)
        else:
            if is_storable(text):
                return text
            self.findings.mistake(Origin(path, 1), "the text contains NUL", "remove the NUL character")
        return None

    def optional_text(self, path: str) -> str:
        """The text of a file that may be absent: then it is empty."""
        return (self.text(path, Origin(path, 1)) or "") if self.has(path) else ""

    def json(self, path: str, wanted_by: Origin) -> Any:
        """The located JSON of a file; None, and a mistake, when it cannot be had."""
        text = self.text(path, wanted_by)
        if text is None:
            return None
        try:
            return parse_json(text)
        except json.JSONDecodeError as error:
            place = Origin(path, error.lineno)
            self.findings.mistake(place, f"not valid JSON: {error.msg} (column {error.colno})", "correct the JSON")
        return None

    def record(self, path: str, wanted_by: Origin) -> Record | None:
        """The JSON object a file holds; None, and a mistake, when it cannot be had."""
        value = self.json(path, wanted_by)
        if isinstance(value, JsonObject):
            return Record(value, path, self.findings)
        if value is not None:
            self.findings.mistake(Origin(path, 1), "the file does not hold an object", "write { … }")
        return None

    def records(self, path: str, wanted_by: Origin) -> list[Record]:
        """The JSON objects a file lists; none, and a mistake, when it cannot be had."""
        value = self.json(path, wanted_by)
        if value is not None and not isinstance(value, JsonList):
            self.findings.mistake(Origin(path, 1), "the file does not hold a list", "write [ … ]")
        return list(_records_of(value, path, self.findings))

    def _is_inside(self, path: str) -> bool:
        return (self.root / path).resolve().is_relative_to(self.root.resolve())


class Record:
    """One JSON object being read. Every method takes a key and reports what is wrong with its value."""

    def __init__(self, value: JsonObject, file: str, findings: Findings) -> None:
        self.value = value
        self.file = file
        self.findings = findings

    def origin(self, key: str | None = None) -> Origin:
        """Where `key` stands; where the object begins when it has no such key."""
        return Origin(self.file, self.value.key_lines.get(key or "", self.value.line))

    def text(self, key: str, default: str | None = None) -> str:
        """A text. Without a default it must be there and not be blank."""
        value = self.value.get(key, default)
        if not isinstance(value, str):
            self._wrong(key, "a text")
            return ""
        if default is None and not value.strip():
            self.findings.mistake(self.origin(key), f"{key} is blank", "write something")
        return value

    def slug(self, key: str) -> str:
        value = self.text(key)
        if value and not is_slug(value):
            remedy = f"use a-z, 0-9 and single dashes between them, at most {SLUG_MAX_LENGTH} characters"
            self.findings.mistake(self.origin(key), f"{key} {value!r} is not a slug", remedy)
        return value

    def optional_slug(self, key: str) -> str | None:
        return None if self.value.get(key) is None else self.slug(key)

    def uuid(self, key: str) -> str:
        """A UUID in its usual form, in lower case."""
        value = self.text(key)
        try:
            canonical = str(UUID(value))
        except ValueError:
            canonical = ""
        if value and canonical != value.lower():
            remedy = "write one such as f458c48a-4a05-4809-9168-8edd55179349"
            self.findings.mistake(self.origin(key), f"{key} {value!r} is not a UUID", remedy)
        return canonical

    def is_true(self, key: str, *, default: bool = False) -> bool:
        """A truth value, the default when absent."""
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            self._wrong(key, "true or false")
        return value is True

    def number(self, key: str) -> int | None:
        """A whole number, None when absent or null."""
        value = self.value.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._wrong(key, "a whole number")
        return None

    def texts(self, key: str, *, is_required: bool = True) -> tuple[str, ...]:
        """A list of texts, none of them blank."""
        items = self._items(key, is_required)
        if any(not isinstance(item, str) or not item.strip() for item in items):
            self._wrong(key, "a list of texts")
            return ()
        return tuple(items)

    def line_of_text(self, key: str, text: str) -> Origin:
        """Where `text` stands in the list under `key`."""
        items = self.value.get(key)
        if isinstance(items, JsonList) and text in items:
            return Origin(self.file, items.item_lines[items.index(text)])
        return self.origin(key)

    def record(self, key: str, *, is_required: bool = True) -> Record:
        """An object inside this one; an empty one when it is absent."""
        value = self.value.get(key)
        if not isinstance(value, JsonObject):
            if is_required or value is not None:
                self._wrong(key, "an object")
            value = JsonObject(self.origin(key).line)
        return Record(value, self.file, self.findings)

    def records(self, key: str) -> list[Record]:
        """A list of objects, which must be there."""
        items = self._items(key, is_required=True)
        return list(_records_of(items, self.file, self.findings))

    def warn_of_unknown_keys(self, *known: str) -> None:
        for key in self.value.keys() - set(known):
            alike = get_close_matches(key, known, n=1)
            hint = f", did you mean {alike[0]}?" if alike else ""
            self.findings.warn(self.origin(key), f"unknown key {key!r}{hint}", "it was ignored")

    def _items(self, key: str, is_required: bool) -> JsonList:
        items = self.value.get(key)
        if isinstance(items, JsonList):
            return items
        if is_required or items is not None:
            self._wrong(key, "a list")
        return JsonList(self.origin(key).line)

    def _wrong(self, key: str, expected: str) -> None:
        cause = f"{key} is not {expected}" if key in self.value else f"{key} is missing"
        self.findings.mistake(self.origin(key), cause, f"write {expected}")


def _records_of(items: Any, file: str, findings: Findings) -> Iterator[Record]:
    if not isinstance(items, JsonList):
        return
    for item, line in zip(items, items.item_lines, strict=True):
        if isinstance(item, JsonObject):
            yield Record(item, file, findings)
        else:
            findings.mistake(Origin(file, line), "an object was expected here", "write { … }")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return error.strerror or type(error).__name__
