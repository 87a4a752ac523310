"""Typed parameters: a frozen dataclass says what a channel or an action accepts; anything else is refused.

Fields may be `str`, `int`, `float`, `bool`, a `Literal` of strings or integers, `list[...]` of these,
`dict[str, Any]`, `Any`, and `X | None`. A field without default is required.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, cast

from jiki_core.errors import FieldError, ValidationFailed

T = TypeVar("T")
_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class NoParams:
    """Nothing is accepted."""


def parse(schema: type[T], given: Mapping[str, Any]) -> T:
    """An instance of `schema`. Raises ValidationFailed naming every wrong, missing or unknown field."""
    hints = _hints(schema)
    errors: dict[str, list[FieldError]] = {name: [FieldError("unknown")] for name in given if name not in hints}
    for field in dataclasses.fields(cast(Any, schema)):
        if field.name not in given:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                errors[field.name] = [FieldError("blank")]
        elif not _fits(given[field.name], hints[field.name]):
            errors[field.name] = [FieldError("invalid")]
    if errors:
        raise ValidationFailed(errors)
    return schema(**given)


def json_schema(schema: type[Any]) -> dict[str, Any]:
    """The same as JSON Schema (2020-12), for the documentation."""
    hints = _hints(schema)
    fields = dataclasses.fields(schema)
    required = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    document: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: _json_type(hints[field.name]) for field in fields},
        "additionalProperties": False,
    }
    if required:
        document["required"] = required
    return document


def mistakes(schema: Any) -> list[str]:
    """What is wrong with a schema's declaration, as sentences; empty when all is well."""
    if not (isinstance(schema, type) and dataclasses.is_dataclass(schema)):
        return [f"{schema!r} must be a dataclass: write @dataclass(frozen=True) above it"]
    found = []
    if not cast(Any, schema).__dataclass_params__.frozen:
        found.append(f"{schema.__qualname__} must be frozen: write @dataclass(frozen=True)")
    try:
        hints = _hints(schema)
    except NameError as error:
        return [*found, f"{schema.__qualname__} has a field whose type cannot be resolved: {error}"]
    found += [
        f"{schema.__qualname__}.{name} has a type that JSON cannot carry ({hint}); "
        "use str, int, float, bool, Literal, list, dict[str, Any], Any or X | None"
        for name, hint in hints.items()
        if not _is_supported(hint)
    ]
    return found


@lru_cache(maxsize=512)
def _resolved(schema: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(schema)


def _hints(schema: type[Any]) -> dict[str, Any]:
    key: Any = schema
    return _resolved(key)


def _is_supported(hint: Any) -> bool:
    if hint in _PLAIN or hint in (Any, list, dict, type(None)):
        return True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return all(isinstance(one, str | int) for one in arguments)
    if origin is list or origin in (Union, types.UnionType):
        return all(map(_is_supported, arguments))
    return origin is dict and arguments[0] is str and _is_supported(arguments[1])


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint in _PLAIN or hint in (list, dict):
        # an exact type: JSON's true is no integer
        return type(value) is hint
    if hint is type(None):
        return value is None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in arguments)
    if origin is list:
        return type(value) is list and all(_fits(one, arguments[0]) for one in value)
    if origin is dict:
        return type(value) is dict and all(_fits(one, arguments[1]) for one in value.values())
    return any(_fits(value, one) for one in arguments)


def _json_type(hint: Any) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if hint is Any:
        return {}
    if hint in (list, dict, type(None)):
        return {"type": {list: "array", dict: "object"}.get(hint, "null")}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _json_type(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _json_type(arguments[1])}
    return {"anyOf": [_json_type(one) for one in arguments]}
