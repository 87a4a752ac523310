"""Shared documents as bytes: whatever the order, the repeats and the compactions, the text is the same."""

from __future__ import annotations

import base64
import random

import pytest
from pycrdt import Doc, Map, Text

from jiki_learning.errors import InvalidUpdate
from jiki_learning.shared_text import (
    CONTENT,
    NO_STATE,
    NOTHING,
    SyncKind,
    SyncMessage,
    adds_nothing,
    changes_nothing,
    check_update,
    compact,
    missing_from,
    new_document,
    only_deletes,
    state_of,
    text_of,
)


class Editor:
    """A client: its document, and the updates that it made."""

    def __init__(self, first: bytes) -> None:
        self.document: Doc[Text] = Doc()
        self.document.apply_update(first)
        self.content: Text = self.document.get(CONTENT, type=Text)
        self.made: list[bytes] = []
        self._subscription = self.document.observe(lambda event: self.made.append(event.update))

    def type(self, dice: random.Random) -> None:
        length = len(str(self.content))
        if length > 20 and dice.random() < 0.4:
            start = dice.randrange(length - 10)
            del self.content[start : start + dice.randint(1, 10)]
        else:
            self.content.insert(dice.randint(0, length), dice.choice("abcdefg \n") * dice.randint(1, 8))


def edits(seed: int) -> tuple[bytes, list[bytes], str]:
    """The first update, what two editors made beside each other, and the text that this gives."""
    dice = random.Random(seed)
    first = new_document("def hello():\n    pass\n")
    ada, bob = Editor(first), Editor(first)
    for _ in range(30):
        dice.choice((ada, bob)).type(dice)
        if dice.random() < 0.2:
            ada.document.apply_update(bob.document.get_update())
            bob.document.apply_update(ada.document.get_update())
    made = [one for one in (*ada.made, *bob.made) if not changes_nothing(one)]
    return first, made, text_of([first, *made])


def test_a_new_document_has_its_text():
    assert text_of([new_document("move()\n")]) == "move()\n"
    assert text_of([new_document("")]) == ""


@pytest.mark.parametrize("seed", range(20))
def test_order_and_repeats_do_not_matter(seed):
    first, made, expected = edits(seed)
    shuffled = [first, *made, *made[:5]]
    random.Random(seed).shuffle(shuffled)
    assert text_of(shuffled) == expected


@pytest.mark.parametrize("seed", range(40))
def test_compaction_at_any_time_loses_nothing_even_of_what_came_too_early(seed):
    first, made, expected = edits(seed)
    dice = random.Random(seed)
    arriving = [first, *made]
    dice.shuffle(arriving)
    rows: list[bytes] = []
    for update in arriving:
        rows.append(update)
        if dice.random() < 0.3:
            rows = [compact(rows)]
    assert text_of([compact(rows)]) == expected


def test_compaction_forgets_deleted_text():
    editor = Editor(new_document("x" * 5_000))
    del editor.content[0:4_990]
    both = [new_document(""), *editor.made]
    assert len(compact([editor.document.get_update(), *both])) < 500


@pytest.mark.parametrize("seed", range(10))
def test_a_client_that_asks_gets_exactly_what_it_lacks(seed):
    first, made, expected = edits(seed)
    client = Editor(first)
    for update in made[::2]:
        client.document.apply_update(update)
    stored = [first, *made]
    client.document.apply_update(missing_from(client.document.get_state(), stored))
    assert str(client.content) == expected
    assert missing_from(state_of(stored), stored)[:1] == b"\x00", "nothing to insert"


def test_deletions_are_told_from_insertions():
    editor = Editor(new_document("abc"))
    editor.content.insert(0, "x")
    del editor.content[0:2]
    assert [only_deletes(one) for one in editor.made] == [False, True]
    assert changes_nothing(NOTHING)


def test_a_repeated_deletion_adds_nothing_and_a_new_one_does():
    first, made, _ = edits(3)
    stored = [first, *made]
    every_deletion = missing_from(state_of(stored), stored)
    assert adds_nothing(every_deletion, stored)
    editor = Editor(compact(stored))
    del editor.content[0:2]
    assert not adds_nothing(editor.made[0], stored)
    assert not adds_nothing(editor.made[0], [new_document("")]), "what it deletes has not come yet"
    editor.content.insert(0, "x")
    assert not adds_nothing(editor.made[1], stored)


def test_a_document_of_another_shape_is_an_empty_text():
    other: Doc[Map] = Doc()
    other[CONTENT] = made = Map()
    made["key"] = "value"
    assert isinstance(text_of([other.get_update()]), str)


@pytest.mark.parametrize("kind", list(SyncKind))
def test_messages_travel_as_base64(kind):
    message = SyncMessage(kind, new_document("a" * 300))
    assert SyncMessage.decode(message.encode()) == message
    assert SyncMessage.decode(SyncMessage(kind, b"").encode()).payload == b""


@pytest.mark.parametrize(
    "framed",
    [b"", b"\x00", b"\x03\x01a", b"\x00\x05a", b"\x00\x01ab", b"\x00\xff", b"\x00\xff\xff\xff\xff\xff\x7f", b"\xff"],
)
def test_what_is_no_message_is_refused(framed):
    with pytest.raises(InvalidUpdate):
        SyncMessage.decode(base64.b64encode(framed).decode())


@pytest.mark.parametrize("text", ["*", "é", "AAA", "AA A="])
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(InvalidUpdate):
        SyncMessage.decode(text)


def test_damaged_updates_are_refused_or_harmless():
    first, made, _ = edits(1)
    refused = 0
    for seed in range(2_000):
        dice = random.Random(seed)
        damaged = bytearray(dice.choice(made) if seed % 2 else dice.randbytes(dice.randint(1, 40)))
        damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            check_update(bytes(damaged))
        except InvalidUpdate:
            refused += 1
        else:
            rows = [first, bytes(damaged)]
            assert isinstance(text_of([compact(rows)]), str)
            missing_from(NO_STATE, rows)
    assert refused > 500
    with pytest.raises(InvalidUpdate):
        missing_from(b"\xff", [first])
