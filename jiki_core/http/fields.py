"""Fields that take what the contract says and nothing that merely converts: a number in quotes is not a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import marshmallow as ma
from marshmallow import fields as base

from jiki_core.errors import FieldError

Nested = base.Nested
List = base.List
Dict = base.Dict
Raw = base.Raw


class Text(base.String):
    """A string, not blank unless `allow_blank`; `minimum` and `maximum` are lengths in characters."""

    def __init__(
        self,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        allow_blank: bool = False,
        **kwargs: Any,
    ) -> None:
        self.minimum, self.maximum, self.allow_blank = minimum, maximum, allow_blank
        kwargs.setdefault("metadata", {})
        if maximum is not None:
            kwargs["metadata"].setdefault("maxLength", maximum)
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ma.ValidationError("invalid")
        if not value and not self.allow_blank:
            raise ma.ValidationError("blank")
        if self.minimum is not None and len(value) < self.minimum:
            raise ma.ValidationError([FieldError("too_short", count=self.minimum)])
        if self.maximum is not None and len(value) > self.maximum:
            raise ma.ValidationError([FieldError("too_long", count=self.maximum)])
        return value


class Whole(base.Integer):
    """A whole number between `minimum` and `maximum`."""

    def __init__(self, *, minimum: int | None = None, maximum: int | None = None, **kwargs: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ma.ValidationError("invalid")
        if (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            raise ma.ValidationError("inclusion")
        return value


class Flag(base.Boolean):
    """true or false."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ma.ValidationError("invalid")
        return value


class Choice(Text):
    """One of a set of strings; anything else is `inclusion`, its value told."""

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        self.choices = tuple(choices)
        nothing = [None] if kwargs.get("allow_none") else []
        kwargs.setdefault("metadata", {}).setdefault("enum", [*self.choices, *nothing])
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in self.choices:
            raise ma.ValidationError([FieldError("inclusion", value=text)])
        return text


class Moment(base.DateTime):
    """An ISO 8601 time; on the wire in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)
