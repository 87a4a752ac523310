"""The fewest moves between two orders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_learning.content.row_order import RowMove, row_moves


def moves(before: str, after: str) -> list[str]:
    """Lists as words separated by blanks; a move as "key from>to", lists and positions both named."""
    found = row_moves(before.split(" "), after.split(" "))
    return [f"{m.key} {m.from_list}.{m.from_position}>{m.to_list}.{m.to_position}" for m in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("abc",     "abc",      []),
        ("",        "abc",      []),                        # new keys are not moves
        ("abc",     "xabc",     []),                        # nor is what shifts behind them
        ("abc",     "ac",       []),                        # or in front of a gap
        ("abcd",    "dabc",     ["d 0.4>0.1"]),
        ("abcd",    "bcda",     ["a 0.1>0.4"]),
        ("abcd",    "badc",     ["b 0.2>0.1", "d 0.4>0.3"]),
        ("ab cd",   "a bcd",    ["b 0.2>1.1"]),
        ("ab cd",   "ab cxd",   []),
        ("ab cd",   "cd ab",    ["c 1.1>0.1", "d 1.2>0.2", "a 0.1>1.1", "b 0.2>1.2"]),
    ],
)  # fmt: skip
def test_what_has_to_move(before: str, after: str, expected: list[str]) -> None:
    assert moves(before, after) == expected


@given(st.permutations("abcdefg"))
def test_what_does_not_move_keeps_its_order(after: list[str]) -> None:
    before = sorted(after)
    moved = {move.key for move in row_moves([before], [after])}
    assert [key for key in before if key not in moved] == [key for key in after if key not in moved]


@given(st.permutations("abcdefg"), st.sampled_from("abcdefg"))
def test_one_displaced_row_is_one_move_at_most(after: list[str], key: str) -> None:
    before = sorted(after)
    displaced = [one for one in before if one != key]
    displaced.insert(after.index(key), key)
    assert len(list(row_moves([before], [displaced]))) <= 1


def test_a_move_names_both_places() -> None:
    assert list(row_moves([["a"], []], [[], ["a"]])) == [RowMove("a", 0, 1, 1, 1)]
