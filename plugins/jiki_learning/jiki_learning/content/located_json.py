"""JSON whose objects and lists know the lines they came from, so that a mistake can be shown where it
stands."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")


class JsonObject(dict[str, Any]):
    """A JSON object with the line it begins on, and the line of each of its keys."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.key_lines: dict[str, int] = {}


class JsonList(list[Any]):
    """A JSON array with the line it begins on, and the line of each of its items."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.item_lines: list[int] = []


def parse_json(text: str) -> Any:
    """Parse JSON text; objects and arrays come back as JsonObject and JsonList.

    Raises json.JSONDecodeError, which knows its line, for anything that is not JSON, a key given twice in
    one object, and what PostgreSQL's JSON cannot hold: NaN, Infinity, NUL and lone surrogates.
    """
    try:
        # After this the walk may trust the text, and errors speak the standard library's words.
        json.loads(text)
        value, _ = _Walk(text).value(0)
    except RecursionError:
        raise json.JSONDecodeError("Nested too deeply", text, 0) from None
    return value


def plain(value: Any) -> Any:
    """The same JSON value as ordinary dicts and lists, its lines forgotten."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def is_storable(text: str) -> bool:
    """Can PostgreSQL hold this text? Not with NUL or half a surrogate pair in it."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def line_at(value: Any, path: Sequence[str | int], default: int = 1) -> int:
    """The line of what `path` (keys and indexes) leads to inside `value`, or of the nearest part that
    exists."""
    line = default
    for step in path:
        if isinstance(value, JsonObject) and isinstance(step, str) and step in value:
            line = value.key_lines[step]
        elif isinstance(value, JsonList) and isinstance(step, int) and step < len(value):
            line = value.item_lines[step]
        else:
            break
        value = value[step]
    return line


class _Walk:
    """Walks text known to be JSON, value by value, and notes lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.scalars = json.JSONDecoder()
        self.line_starts = [0, *(end.end() for end in re.finditer("\n", text))]

    def line(self, at: int) -> int:
        return bisect_right(self.line_starts, at)

    def skip_space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def value(self, at: int) -> tuple[Any, int]:
        """The value that begins at or after `at`, and the place behind it."""
        at = self.skip_space(at)
        match self.text[at]:
            case "{":
                return self.object(at)
            case "[":
                return self.array(at)
            case _:
                return self.scalar(at)

    def scalar(self, at: int) -> tuple[Any, int]:
        value, end = self.scalars.raw_decode(self.text, at)
        if isinstance(value, float) and not isfinite(value):
            raise json.JSONDecodeError("Not a finite number", self.text, at)
        if isinstance(value, str) and not is_storable(value):
            raise json.JSONDecodeError("NUL or a lone surrogate in a text", self.text, at)
        return value, end

    def object(self, at: int) -> tuple[JsonObject, int]:
        found = JsonObject(self.line(at))
        at = self.skip_space(at + 1)
        while self.text[at] != "}":
            key_at = self.skip_space(at)
            key, at = self.scalar(key_at)
            if key in found:
                raise json.JSONDecodeError(f"The key {key!r} appears twice", self.text, key_at)
            colon = self.skip_space(at)
            found[key], at = self.value(colon + 1)
            found.key_lines[key] = self.line(key_at)
            at = self.skip_comma(at)
        return found, at + 1

    def array(self, at: int) -> tuple[JsonList, int]:
        found = JsonList(self.line(at))
        at = self.skip_space(at + 1)
        while self.text[at] != "]":
            at = self.skip_space(at)
            found.item_lines.append(self.line(at))
            item, at = self.value(at)
            found.append(item)
            at = self.skip_comma(at)
        return found, at + 1

    def skip_comma(self, at: int) -> int:
        at = self.skip_space(at)
        return at + 1 if self.text[at] == "," else at
