"""JSON that knows its lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_learning.content.located_json import line_at, parse_json, plain

TEXT = """{
  "levels": [
    {"slug": "a"},
    {
      "slug": "b",
      "lessons": [
        1, "two",
        {"type":
          "video"}
      ]
    }
  ]
}"""

PLACES = [
    # path                                       line
    ((),                                         1),
    (("levels",),                                2),
    (("levels", 0),                              3),
    (("levels", 0, "slug"),                      3),
    (("levels", 1),                              4),
    (("levels", 1, "slug"),                      5),
    (("levels", 1, "lessons", 1),                7),
    (("levels", 1, "lessons", 2, "type"),        8),
    (("levels", 1, "lessons", 9),                6),  # what is missing is missed where it should have been
    (("levels", 1, "missing"),                   4),
]  # fmt: skip


@pytest.mark.parametrize(("path", "line"), PLACES)
def test_every_key_and_item_knows_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert line_at(parse_json(TEXT), path) == line


REFUSED = [
    # text                              line  message
    ('{"a": 1,\n "b" 2}',               2,    "Expecting ':' delimiter"),
    ('{"a": 1,\n\n "a": 2}',            3,    "The key 'a' appears twice"),
    ('[1,\n NaN]',                      2,    "Not a finite number"),
    ('[1,\n -Infinity]',                2,    "Not a finite number"),
    ('[1,\n 1e999]',                    2,    "Not a finite number"),
    ('[1,\n "a\\u0000"]',               2,    "NUL or a lone surrogate in a text"),
    ('["\\ud800"]',                     1,    "NUL or a lone surrogate in a text"),
    ('{"\\udc00": 1}',                  1,    "NUL or a lone surrogate in a text"),
    ('[' * 100_000,                     1,    "Nested too deeply"),
    ('[' * 800 + ']' * 800,             1,    "Nested too deeply"),
    ('',                                1,    "Expecting value"),
    ('{} {}',                           1,    "Extra data"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), REFUSED)
def test_what_cannot_be_stored_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(json.JSONDecodeError) as refusal:
        parse_json(text)
    assert (refusal.value.lineno, refusal.value.msg) == (line, message)


storable_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | storable_text
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(storable_text, inner), max_leaves=20)


@given(values, st.sampled_from([None, 0, 2]))
def test_it_reads_what_the_standard_library_reads(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert parse_json(text) == json.loads(text)
    assert plain(parse_json(text)) == value
