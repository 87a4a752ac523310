"""Which rows of ordered lists have to move so that the lists come out in another order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowMove:
    """A row that changes its list or its order; lists count from 0, positions from 1."""

    key: str
    from_list: int
    from_position: int
    to_list: int
    to_position: int


def row_moves(before: Sequence[Sequence[str]], after: Sequence[Sequence[str]]) -> Iterator[RowMove]:
    """The fewest moves from `before` to `after`, where list n of one is list n of the other.

    A key stands once at most on each side. New keys are not moves, nor is what shifts because others came
    or went.
    """
    places = {key: (number, at) for number, keys in enumerate(before) for at, key in enumerate(keys, start=1)}
    for number, keys in enumerate(after):
        staying = _longest_rising([places[key][1] for key in keys if key in places and places[key][0] == number])
        for at, key in enumerate(keys, start=1):
            if key in places and not (places[key][0] == number and places[key][1] in staying):
                yield RowMove(key, *places[key], number, at)


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The members of a longest rising subsequence of distinct numbers, by patience sorting."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        pile = bisect_left(tails, number)
        before[number] = tails[pile - 1] if pile else None
        tails[pile : pile + 1] = [number]
    members: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        members.add(last)
        last = before[last]
    return members
