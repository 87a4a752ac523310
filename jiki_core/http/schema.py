"""The base of request and response schemas: marshmallow's messages become the contract's codes in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma

from jiki_core.errors import FieldError

#: marshmallow's error keys -> codes of contract.md 2.1; everything else is "invalid"
_CODES = {"required": "blank", "null": "blank", "unknown": "unknown_field", "blank": "blank"}


class Schema(ma.Schema):
    """Rejects unknown fields, except those in `ignored`, which the web client is known to send (contract.md 6.4)."""

    class Meta:
        ordered = True
        unknown = ma.RAISE

    #: field names that are accepted and dropped
    ignored: frozenset[str] = frozenset()
    #: member -> the name under which its errors are told, where the client knows the field by another (contract.md 5)
    reported_as: ClassVar[Mapping[str, str]] = {}

    error_messages = {"unknown": "unknown_field", "type": "invalid"}

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field[Any]) -> None:
        field_obj.error_messages = {key: _CODES.get(key, "invalid") for key in field_obj.error_messages}

    @ma.pre_load
    def _drop_ignored(self, data: Any, **_: Any) -> Any:
        if self.ignored and isinstance(data, Mapping):
            return {name: value for name, value in data.items() if name not in self.ignored}
        return data


def root(schema: type[Schema]) -> ma.fields.Nested:
    """A body's root member, such as `user` in `{"user": {...}}`; its fields' errors are reported without the root's name."""
    return ma.fields.Nested(schema, required=True, metadata={"is_root": True})


def field_errors(messages: Mapping[str, Any] | list[Any], schema: Any) -> dict[str, list[FieldError]]:
    """marshmallow's nested messages as `{dotted field: [FieldError]}`, without the location and without root members."""
    located = messages
    if isinstance(messages, Mapping) and len(messages) == 1 and next(iter(messages)) in _LOCATIONS:
        located = next(iter(messages.values()))
    roots = {name for name, one in getattr(schema, "fields", {}).items() if getattr(one, "metadata", {}).get("is_root")}
    found: dict[str, list[FieldError]] = {}
    _collect(located, "", found, roots)
    reported_as = getattr(schema, "reported_as", {})
    return {reported_as.get(name, name): faults for name, faults in found.items()}


_LOCATIONS = frozenset({"json", "query", "form", "files", "headers", "path"})


def _collect(messages: Any, path: str, found: dict[str, list[FieldError]], roots: set[str]) -> None:
    if isinstance(messages, Mapping) and not _is_field_error(messages):
        for name, nested in messages.items():
            if name == "_schema":
                _collect(nested, path, found, set())
            elif not path and name in roots and isinstance(nested, Mapping):
                _collect(nested, "", found, set())
            else:
                _collect(nested, f"{path}.{name}" if path else str(name), found, set())
        return
    for message in messages if isinstance(messages, list) else [messages]:
        found.setdefault(path or "base", []).append(_as_field_error(message))


def _is_field_error(message: Mapping[Any, Any]) -> bool:
    return isinstance(message.get("error"), str)


def _as_field_error(message: Any) -> FieldError:
    if isinstance(message, FieldError):
        return message
    if isinstance(message, Mapping) and _is_field_error(message):
        return FieldError(message["error"], message.get("value"), message.get("count"))
    return FieldError(message if isinstance(message, str) and message.isidentifier() else "invalid")
