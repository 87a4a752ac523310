"""What a client has missed, decided over values: complete, or refused."""

from __future__ import annotations

import pytest

from jiki_core.cable.history import Entry, LogPage, entries_after, entries_since, missed_by
from jiki_core.cable.protocol import HistoryRequest, Position

#: seconds of the first message's arrival; one comes each second
START = 1_795_340_000


def _page(first: int, last: int, *, newest: int | None = None, known_since: int = START) -> LogPage:
    """A log that keeps messages `first` to `last`; message n came at START + n."""
    entries = tuple(Entry(n, (START + n) * 1000, b"{}") for n in range(first, last + 1))
    newest = last if newest is None else newest
    return LogPage(Position("e", newest), entries, (START + newest) * 1000 if newest else 0, known_since * 1000)


def _offsets(entries: tuple[Entry, ...] | None) -> list[int] | None:
    return None if entries is None else [entry.offset for entry in entries]


@pytest.mark.parametrize(
    ("page", "position", "expected"),
    [
        (_page(1, 5), Position("e", 3), [4, 5]),
        (_page(1, 5), Position("e", 5), []),
        (_page(1, 5), Position("e", 0), [1, 2, 3, 4, 5]),
        (_page(3, 5), Position("e", 2), [3, 4, 5]),
        (_page(3, 5), Position("e", 1), None),
        (_page(1, 5), Position("e", 6), None),
        (_page(1, 5), Position("f", 3), None),
        (_page(1, 5), Position("e", -1), None),
        # the log has run out: nothing was missed, or something was
        (_page(1, 0, newest=5), Position("e", 5), []),
        (_page(1, 0, newest=5), Position("e", 4), None),
    ],
)
def test_after_a_position(page: LogPage, position: Position, expected: list[int] | None) -> None:
    assert _offsets(entries_after(page, position)) == expected


@pytest.mark.parametrize(
    ("page", "since", "expected"),
    [
        (_page(1, 5), START + 3, [3, 4, 5]),
        (_page(1, 5), START + 3.5, [4, 5]),
        (_page(1, 5), START, [1, 2, 3, 4, 5]),
        (_page(1, 5), START + 6, []),
        (_page(1, 5), START - 1, None),
        (_page(3, 5), START + 4, [4, 5]),
        # the one before the oldest kept may have come in time
        (_page(3, 5), START + 3, None),
        (_page(1, 0, newest=0), START, []),
        (_page(1, 0, newest=5), START + 6, []),
        (_page(1, 0, newest=5), START + 5, None),
    ],
)
def test_from_a_time_on(page: LogPage, since: float, expected: list[int] | None) -> None:
    assert _offsets(entries_since(page, since)) == expected


def _request(since: float | None = None, **streams: Position) -> HistoryRequest:
    return HistoryRequest(since, streams)


@pytest.mark.parametrize(
    ("request_", "began", "sent", "expected"),
    [
        # a position named is taken at its word, whatever was sent
        (_request(s=Position("e", 2)), 4, 5, [3, 4, 5]),
        (_request(START + 1, s=Position("e", 4)), 3, 3, [5]),
        (_request(s=Position("f", 2)), 4, 4, None),
        # a position of another stream says nothing of this one
        (_request(START + 4, other=Position("f", 9)), 3, 3, [4, 5]),
        # a time: what was sent meanwhile is not repeated
        (_request(START + 4), 3, 5, []),
        (_request(START + 4), 3, 4, [5]),
        # unless older messages have to go before it
        (_request(START + 2), 3, 5, [2, 3, 4, 5]),
        # a clock that is ahead loses nothing
        (_request(START + 9), 3, 3, [4, 5]),
        (_request(START - 9), 3, 3, None),
        # nothing asked: only what is owed
        (_request(), 3, 4, [5]),
        (_request(), 5, 5, []),
    ],
)
def test_an_answer_is_complete_or_refused(
    request_: HistoryRequest, began: int, sent: int, expected: list[int] | None
) -> None:
    missed = missed_by(_page(1, 5), request_, "s", began=Position("e", began), sent=Position("e", sent))
    assert _offsets(missed) == expected


def test_a_subscription_that_knows_no_position_gets_what_a_time_asks_for() -> None:
    assert _offsets(missed_by(_page(1, 5), _request(START + 4), "s", began=None, sent=None)) == [4, 5]


def test_a_stream_whose_life_began_anew_refuses_who_was_there_before() -> None:
    before = Position("d", 4)
    assert missed_by(_page(1, 5), _request(START + 4), "s", began=before, sent=before) is None
