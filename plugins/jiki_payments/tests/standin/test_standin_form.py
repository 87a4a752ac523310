"""Stripe's form encoding, and that nothing unread passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.form import Params, decode_form


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=", {"a": ""}),
        ("a[b]=1&a[c][d]=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
        ("a[]=x&a[]=y", {"a": ["x", "y"]}),
        ("a[10]=k&a[2]=c", {"a": ["c", "k"]}),
        ("items[0][price]=p&items[0][quantity]=2", {"items": [{"price": "p", "quantity": "2"}]}),
        ("a%5Bb%5D=%7BX%7D", {"a": {"b": "{X}"}}),
    ],
)
def test_a_form_is_decoded_into_nested_values(text: str, values: dict[str, Any]) -> None:
    assert decode_form(text) == values


@pytest.mark.parametrize("text", ["[a]=1", "a[b=1", "a=1&a[b]=2"])
def test_a_name_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        decode_form(text)


@pytest.mark.parametrize(
    ("text", "param"),
    [("b=1", "b"), ("a[c]=1", "a[c]"), ("items[0][x]=1", "items[0][x]")],
)
def test_what_nobody_read_is_an_unknown_parameter(text: str, param: str) -> None:
    params = Params(decode_form(text))
    params.child("a")
    params.children("items")
    with pytest.raises(InvalidRequest) as refusal:
        params.finish()
    assert refusal.value.error["code"] == "parameter_unknown"
    assert refusal.value.error["param"] == param


@pytest.mark.parametrize("value", ["1.5", "abc", "1" * 16])
def test_an_integer_is_an_integer(value: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        Params({"amount": value}).integer("amount")
    assert refusal.value.error["code"] == "parameter_invalid_integer"


def test_a_required_parameter_may_not_be_empty() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        Params({"customer": ""}).required("customer")
    assert refusal.value.error["code"] == "parameter_missing"


def test_a_choice_is_one_of_its_choices() -> None:
    with pytest.raises(InvalidRequest, match="must be one of a, b"):
        Params({"mode": "c"}).text("mode", choices=("a", "b"))


@pytest.mark.parametrize(
    ("sent", "merged"),
    [
        ({}, {"a": "1"}),
        ({"metadata": {"b": "2"}}, {"a": "1", "b": "2"}),
        ({"metadata": {"a": ""}}, {}),
        ({"metadata": ""}, {}),
    ],
)
def test_metadata_merges_and_empty_values_remove(sent: dict[str, Any], merged: dict[str, str]) -> None:
    assert Params(sent).metadata({"a": "1"}) == merged


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"a": "b"}, lambda params: params.text("value")),
        ("text", lambda params: params.child("value")),
        ("text", lambda params: params.children("value")),
        ("text", lambda params: params.texts("value")),
        ("text", lambda params: params.tree("value")),
        ([{"a": "b"}], lambda params: params.texts("value")),
    ],
)
def test_a_value_of_another_shape_is_refused(value: Any, read: Callable[[Params], object]) -> None:
    with pytest.raises(InvalidRequest, match="Invalid"):
        read(Params({"value": value}))


def test_a_tree_is_taken_as_it_is_with_booleans() -> None:
    sent = {"features": {"a": {"enabled": "true", "options": ["x", "false"], "note": ""}}}
    assert Params(sent).tree("features") == {"a": {"enabled": True, "options": ["x", False], "note": None}}
