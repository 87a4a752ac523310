"""Typed parameters: what fits becomes a value, all else is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pytest

from jiki_core.cable.parameters import json_schema, mistakes, parse
from jiki_core.errors import ValidationFailed


@dataclass(frozen=True)
class Everything:
    id: int
    name: str
    ratio: float = 0.5
    is_new: bool = False
    mode: Literal["run", "check"] = "run"
    tags: list[str] = field(default_factory=list)
    extra: dict[str, Any] | None = None


def test_values_that_fit_become_an_instance() -> None:
    assert parse(Everything, {"id": 7, "name": "a", "mode": "check", "tags": ["x"], "extra": {"a": [1]}}) == Everything(
        7, "a", mode="check", tags=["x"], extra={"a": [1]}
    )


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({}, {"id": "blank", "name": "blank"}),
        ({"id": "7", "name": "a"}, {"id": "invalid"}),
        ({"id": True, "name": "a"}, {"id": "invalid"}),
        ({"id": 7.0, "name": "a"}, {"id": "invalid"}),
        ({"id": None, "name": "a"}, {"id": "invalid"}),
        ({"id": 7, "name": "a", "ratio": True}, {"ratio": "invalid"}),
        ({"id": 7, "name": "a", "mode": "walk"}, {"mode": "invalid"}),
        ({"id": 7, "name": "a", "tags": ["x", 1]}, {"tags": "invalid"}),
        ({"id": 7, "name": "a", "extra": []}, {"extra": "invalid"}),
        ({"id": 7, "name": "a", "more": 1}, {"more": "unknown"}),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], errors: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse(Everything, given)
    assert {name: found[0].code for name, found in refused.value.errors.items()} == errors


def test_an_integer_is_a_number() -> None:
    assert parse(Everything, {"id": 1, "name": "a", "ratio": 2}).ratio == 2


def test_the_documentation_says_the_same() -> None:
    assert json_schema(Everything) == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "name": {"type": "string"},
            "ratio": {"type": "number"},
            "is_new": {"type": "boolean"},
            "mode": {"enum": ["run", "check"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "extra": {"anyOf": [{"type": "object", "additionalProperties": {}}, {"type": "null"}]},
        },
        "additionalProperties": False,
        "required": ["id", "name"],
    }


@dataclass
class Thawed:
    id: int


@dataclass(frozen=True)
class Dated:
    at: datetime


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (dict, "must be a dataclass"),
        ({"id": int}, "must be a dataclass"),
        (Thawed, "must be frozen"),
        (Dated, "Dated.at has a type that JSON cannot carry"),
    ],
)
def test_a_schema_that_cannot_work_is_explained(schema: Any, sentence: str) -> None:
    assert any(sentence in mistake for mistake in mistakes(schema))


def test_a_good_schema_has_no_mistakes() -> None:
    assert mistakes(Everything) == []
