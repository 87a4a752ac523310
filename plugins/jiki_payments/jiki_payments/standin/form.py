"""Stripe's request format: `items[0][price]=…` decoded into nested values, and a reader that refuses what
nobody read.

A parameter the stand-in does not model is refused as unknown, so that a caller never believes it had an
effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

from jiki_payments.standin.errors import InvalidRequest

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode_form(text: str) -> dict[str, Any]:
    """`a[b]=1&c[0]=x&c[1]=y` -> `{"a": {"b": "1"}, "c": ["x", "y"]}`. Every leaf is a string."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        matched = _NAME.match(name)
        if matched is None:
            raise InvalidRequest(f"Invalid parameter name: {name}", param=name)
        path = [matched[1], *_PART.findall(matched[2])]
        node = tree
        for part, following in pairwise(path):
            key = part or str(len(node))
            child = node.setdefault(key, {})
            if not isinstance(child, dict):
                raise InvalidRequest(f"Invalid object: {name} goes into {following}", param=name)
            node = child
        node[path[-1] or str(len(node))] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(child) for key, child in value.items()}


class Params:
    """The parameters of one request, read name by name; `finish` refuses what was never read."""

    def __init__(self, values: dict[str, Any], prefix: str = "") -> None:
        self._values = values
        self._prefix = prefix
        self._unread = set(values)
        self.is_finished = False
        self._children: list[Params] = []

    def name(self, key: str) -> str:
        """The name as the caller wrote it: `items[0][price]`."""
        return f"{self._prefix}[{key}]" if self._prefix else key

    def given(self, key: str) -> bool:
        """Whether the caller sent it, be it empty."""
        return key in self._values

    def text(self, key: str, *, choices: Iterable[str] = ()) -> str | None:
        """A string; None when absent or empty (an empty value unsets)."""
        self._unread.discard(key)
        value = self._values.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise InvalidRequest("Invalid string", param=self.name(key))
        allowed = tuple(choices)
        if allowed and value not in allowed:
            raise InvalidRequest(f"Invalid {self.name(key)}: must be one of {', '.join(allowed)}", param=self.name(key))
        return value

    def required(self, key: str, *, choices: Iterable[str] = ()) -> str:
        """A string that must be there."""
        value = self.text(key, choices=choices)
        if value is None:
            raise InvalidRequest(
                f"Missing required param: {self.name(key)}.", param=self.name(key), code="parameter_missing"
            )
        return value

    def integer(self, key: str) -> int | None:
        value = self.text(key)
        if value is None:
            return None
        if not re.fullmatch(r"-?\d{1,15}", value):
            raise InvalidRequest(f"Invalid integer: {value}", param=self.name(key), code="parameter_invalid_integer")
        return int(value)

    def flag(self, key: str) -> bool | None:
        value = self.text(key, choices=("true", "false"))
        return None if value is None else value == "true"

    def texts(self, key: str) -> list[str]:
        """A list of strings, empty when absent."""
        self._unread.discard(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InvalidRequest("Invalid array", param=self.name(key))
        return list(value)

    def child(self, key: str) -> Params:
        """A nested object; an empty reader when absent or unset."""
        self._unread.discard(key)
        value = self._values.get(key) or {}
        if not isinstance(value, dict):
            raise InvalidRequest("Invalid object", param=self.name(key))
        return self._reader(value, self.name(key))

    def children(self, key: str) -> list[Params]:
        """A list of nested objects, empty when absent."""
        self._unread.discard(key)
        value = self._values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise InvalidRequest("Invalid array", param=self.name(key))
        return [self._reader(one, f"{self.name(key)}[{index}]") for index, one in enumerate(value)]

    def keys(self) -> Iterator[str]:
        yield from self._values

    def tree(self, key: str) -> dict[str, Any]:
        """A nested object taken as it is, with `true` and `false` as booleans; for what is stored and
        never acted on.
        """
        self._unread.discard(key)
        value = self._values.get(key) or {}
        if not isinstance(value, dict):
            raise InvalidRequest("Invalid object", param=self.name(key))
        typed = _typed(value)
        assert isinstance(typed, dict)
        return typed

    def metadata(self, current: dict[str, str] | None = None) -> dict[str, str]:
        """`metadata` merged into `current` as Stripe does: an empty value removes a key, an empty whole
        all.
        """
        self._unread.discard("metadata")
        value = self._values.get("metadata")
        if value is None:
            return dict(current or {})
        if value == "":
            return {}
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise InvalidRequest("Invalid object", param=self.name("metadata"))
        merged = {**(current or {}), **value}
        return {key: one for key, one in merged.items() if one != ""}

    def accept(self, *keys: str) -> None:
        """Take parameters that have no effect here and none that a caller could see."""
        self._unread.difference_update(keys)

    def finish(self) -> None:
        """Refuse what nobody read, here or in a nested object. Called after reading and before anything is
        changed.
        """
        self.is_finished = True
        for key in sorted(self._unread):
            raise InvalidRequest(
                f"Received unknown parameter: {self.name(key)} (or one that the stand-in does not model)",
                param=self.name(key),
                code="parameter_unknown",
            )
        for child in self._children:
            child.finish()

    def _reader(self, values: dict[str, Any], prefix: str) -> Params:
        reader = Params(values, prefix)
        self._children.append(reader)
        return reader


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _typed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_typed(child) for child in value]
    return {"true": True, "false": False, "": None}.get(value, value)
