"""Events as classes: what is refused where it is written, and what comes back from a stored payload."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pytest

from jiki_core.events import Event
from jiki_core.events.event import event_mistakes


def declare(**attributes: Any) -> type[Event]:
    return type("Wrong", (Event,), {"__annotations__": {"user_id": "int"}, "name": "lab.wrong", **attributes})


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"name": "wrong"}, r"Wrong\.name must be '<plugin>\.<what_happened>'"),
        ({"name": "Lab.Wrong"}, r"Wrong\.name must be"),
        ({"version": 0}, r"Wrong\.version must be a whole number from 1"),
        ({"version": "2"}, r"Wrong\.version must be"),
        ({"ordered_by": "usr_id"}, r"Wrong\.ordered_by names 'usr_id', which is none of its fields"),
        ({"ordered_by": "name"}, r"Wrong\.ordered_by names 'name'"),
    ],
)
def test_a_wrong_class_is_refused_where_it_is_written(attributes, sentence):
    with pytest.raises(TypeError, match=sentence):
        declare(**attributes)


def test_a_line_may_be_a_field_that_the_class_inherits():
    @dataclass(frozen=True)
    class First(Event):
        name: ClassVar[str] = "lab.first"
        user_id: int

    @dataclass(frozen=True)
    class Second(First):
        name: ClassVar[str] = "lab.second"
        ordered_by: ClassVar[str] = "user_id"

    assert event_mistakes(Second) == []


def test_what_is_no_frozen_dataclass_of_primitives_is_a_mistake():
    @dataclass(frozen=True)
    class Rich(Event):
        name: ClassVar[str] = "lab.rich"
        at: datetime

    class Plain(Event):
        name: ClassVar[str] = "lab.plain"

    assert "must be a frozen dataclass" in event_mistakes(Plain)[0]
    (mistake,) = event_mistakes(Rich)
    assert "Rich.at is" in mistake
    assert "events carry ids and primitives" in mistake


def test_a_stored_event_takes_the_defaults_of_newer_fields_and_drops_those_it_does_not_know():
    @dataclass(frozen=True)
    class Grown(Event):
        name: ClassVar[str] = "lab.grown"
        version: ClassVar[int] = 2
        user_id: int
        locale: str = "en"

    assert Grown.from_payload({"user_id": 7, "referrer": "x"}) == Grown(7, "en")
