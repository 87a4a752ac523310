"""Strict JSON: what cannot be read, stored or meant is refused; all else comes through as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_core.errors import BadRequest
from jiki_core.http.parsing import strict_json

REFUSED = {
    "not JSON": b"{",
    "3,000 levels": b"[" * 3000 + b"]" * 3000,
    "65 levels": b"[" * 65 + b"]" * 65,
    "a key twice": b'{"a": 1, "a": 2}',
    "a key twice, deep": b'{"x": [{"a": 1, "a": 2}]}',
    "bad UTF-8": b'{"a": "\xff"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate as key": b'{"\\udc00": 1}',
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a list": b'{"a": ["x", "\\u0000"]}',
    "a raw NUL": b'{"a": "\x00"}',
    "a huge integer": b'{"a": ' + b"9" * 5000 + b"}",
    "2^63": b'{"a": 9223372036854775808}',
    "1e400": b'{"a": 1e400}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[-Infinity]",
    "two values": b"1 2",
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(raw):
    with pytest.raises(BadRequest):
        strict_json(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": "[[[[{{{{"}', {"a": "[[[[{{{{"}),
        (b'{"code": "\\\\u0000 is an escape"}', {"code": "\\u0000 is an escape"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b"-9223372036854775807", -9223372036854775807),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
    ],
)
def test_what_merely_looks_suspicious_passes(raw, value):
    assert strict_json(raw) == value


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(values, st.booleans())
def test_every_storable_value_survives(value, is_escaped):
    assert strict_json(json.dumps(value, ensure_ascii=is_escaped).encode()) == value
