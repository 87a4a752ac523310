"""The base of domain events: frozen, ids and primitives only, versioned (architecture.md 2.4)."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Self, Union

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_PRIMITIVES = (str, int, float, bool, type(None))


class Event:
    """Subclass it with `@dataclass(frozen=True)`; each class's docstring says who emits it and when.

    `name` is "<plugin>.<what_happened>" and is stored; `version` grows when the fields change.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    #: a field whose equal values are delivered to each listener in the order of emission; None = any order
    ordered_by: ClassVar[str | None] = None
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __init_subclass__(cls) -> None:
        if not _NAME.fullmatch(getattr(cls, "name", "")):
            raise TypeError(f"{cls.__qualname__}.name must be '<plugin>.<what_happened>' in small letters")
        if not isinstance(cls.version, int) or cls.version < 1:
            raise TypeError(f"{cls.__qualname__}.version must be a whole number from 1")
        own = {name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})} - {
            *Event.__annotations__
        }
        if cls.ordered_by is not None and cls.ordered_by not in own:
            raise TypeError(f"{cls.__qualname__}.ordered_by names {cls.ordered_by!r}, which is none of its fields")

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """The event as it was emitted; fields added since take their defaults, unknown ones are dropped."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in payload.items() if name in known})


def event_mistakes(cls: type[Event]) -> list[str]:
    """Why a class is no good event; empty when it is."""
    if not is_dataclass(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # set by @dataclass
        return [f"{cls.__qualname__} must be a frozen dataclass"]
    hints = typing.get_type_hints(cls)
    return [
        f"{cls.__qualname__}.{one.name} is {hints[one.name]!r}: events carry ids and primitives"
        for one in fields(cls)
        if not _is_primitive(hints[one.name])
    ]


def _is_primitive(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return all(_is_primitive(option) for option in typing.get_args(hint))
    if origin in (tuple, list):
        return all(option is Ellipsis or _is_primitive(option) for option in typing.get_args(hint))
    return hint in _PRIMITIVES
