"""Message keys as paths: `login.title` names a message in an object, `login\\.title` one with a dot in it.

The escaped spelling is the one we store; nested documents are made from it and read back here only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: A nested document: objects whose leaves are messages.
Tree = dict[str, Any]

#: Deeper nesting than this is refused; no front-end nests a tenth of it.
DEPTH_LIMIT = 32

_SPECIAL = re.compile(r"[\\.]")
_PART = re.compile(r"((?:\\.|[^\\.])*)(\.|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class KeyConflict(ValueError):
    """Keys that can't stand in one nested document; `places` says which and why."""

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__("; ".join(places))
        self.places = places


def join_key(parts: tuple[str, ...]) -> str:
    """The key for a path of one or more parts; dots and backslashes inside a part are escaped."""
    return ".".join(_SPECIAL.sub(r"\\\g<0>", part) for part in parts)


def split_key(key: str) -> tuple[str, ...]:
    """The path a key names, the inverse of `join_key`. Raises ValueError for a lone backslash at the end or
    before a character that needs no escape: such a key would have two spellings."""
    if "\\" not in key:
        return tuple(key.split("."))
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(key, position)
        if match is None or any(escaped not in "\\." for escaped in _ESCAPE.findall(match[1])):
            raise ValueError(f"key {key!r}: a backslash may only stand before a dot or a backslash")
        parts.append(_ESCAPE.sub(r"\1", match[1]))
        if not match[2]:
            return tuple(parts)
        position = match.end()


def nest(messages: Mapping[str, str]) -> Tree:
    """`{"login.title": "Hi"}` as `{"login": {"title": "Hi"}}`, in the order given. Raises KeyConflict when a
    key is both a message and an object of others."""
    tree: Tree = {}
    conflicts: list[str] = []
    for key, text in messages.items():
        *parents, leaf = split_key(key)
        branch = tree
        for depth, part in enumerate(parents, start=1):
            below = branch.setdefault(part, {})
            if not isinstance(below, dict):
                conflicts.append(f"{join_key(tuple(parents[:depth]))} is a message, so {key} can't be below it")
                break
            branch = below
        else:
            if leaf in branch:
                conflicts.append(f"{key} is a message, so nothing can be below it")
            else:
                branch[leaf] = text
    if conflicts:
        raise KeyConflict(tuple(conflicts))
    return tree


def flatten(tree: Mapping[str, Any]) -> dict[str, str]:
    """The messages of a nested document by key, the inverse of `nest`; empty objects hold none. Raises
    KeyConflict naming every leaf that is not a string and every object nested too deep."""
    messages: dict[str, str] = {}
    faults: list[str] = []
    pending: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), tree)]
    while pending:
        path, branch = pending.pop()
        for part, value in branch.items():
            here = (*path, part)
            if isinstance(value, str):
                messages[join_key(here)] = value
            elif not isinstance(value, dict):
                faults.append(f"{join_key(here)} is a {_JSON_NAMES[type(value)]}, not a string or an object")
            elif len(here) >= DEPTH_LIMIT:
                faults.append(f"{join_key(here)} is nested more than {DEPTH_LIMIT} levels deep")
            else:
                pending.append((here, value))
    if faults:
        raise KeyConflict(tuple(faults))
    return messages


_JSON_NAMES: Mapping[type, str] = {
    list: "list",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
