"""A shared file as a Yjs document, over bytes: reading, merging and checking its updates, and the messages of the
y-protocols sync protocol. Pure; every function may be called from any thread.

Updates commute and may be repeated, so whoever merges the same set of them, in any order, gets the same document.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pycrdt import Decoder, Doc, Text, get_update, merge_updates, write_var_uint

from jiki_learning.errors import InvalidUpdate

#: name of the one shared text within each document, as clients get it: `ydoc.getText("content")`
CONTENT = "content"
#: an update that changes nothing, and a state vector of somebody who has nothing
NOTHING = b"\x00\x00"
NO_STATE = b"\x00"


class SyncKind(IntEnum):
    """First number of a message (y-protocols/sync)."""

    #: "this is my state": a state vector
    STEP1 = 0
    #: the answer to it: what the other has not
    STEP2 = 1
    UPDATE = 2


@dataclass(frozen=True, slots=True)
class SyncMessage:
    """`payload` is a state vector for STEP1, an update otherwise."""

    kind: SyncKind
    payload: bytes

    def encode(self) -> str:
        """As it travels in cable messages: base64."""
        framed = bytes([self.kind]) + write_var_uint(len(self.payload)) + self.payload
        return base64.b64encode(framed).decode("ascii")

    @classmethod
    def decode(cls, encoded: str) -> SyncMessage:
        """Raises InvalidUpdate for anything that is not exactly one message."""
        try:
            framed = base64.b64decode(encoded, validate=True)
            decoder = Decoder(framed)
            kind = SyncKind(decoder.read_var_uint())
            length = decoder.read_var_uint()
        except (binascii.Error, ValueError, IndexError, RuntimeError):
            raise InvalidUpdate() from None
        payload = framed[decoder.i0 :]
        if len(payload) != length:
            raise InvalidUpdate()
        return cls(kind, payload)


def new_document(text: str) -> bytes:
    """The first update of a document with that text. Made once, on the server: clients that each insert the same
    first text would have it twice."""
    document: Doc[Text] = Doc()
    document[CONTENT] = Text(text)
    return document.get_update()


def check_update(update: bytes) -> None:
    """Raises InvalidUpdate for bytes that are no update; stored, they would spoil the document for everybody."""
    try:
        Doc().apply_update(update)
        merge_updates(update, NOTHING)
    except ValueError:
        raise InvalidUpdate() from None


def changes_nothing(update: bytes) -> bool:
    return update == NOTHING


def only_deletes(update: bytes) -> bool:
    """Whether an update inserts nothing: its number of clients with new content is 0."""
    return update[:1] == b"\x00"


def adds_nothing(update: bytes, updates: Sequence[bytes]) -> bool:
    """Whether all of an update is in the document already. Clients answer a step 1 with every deletion they know of,
    however often they are asked."""
    if not only_deletes(update):
        return False
    document = _document(updates)
    before = document.get_update()
    document.apply_update(update)
    return document.get_update() == before and not _has_pending(update, document.get_state())


def text_of(updates: Sequence[bytes]) -> str:
    """The text that these updates make together; what waits for missing updates is not in it."""
    return str(_document(updates).get(CONTENT, type=Text))


def state_of(updates: Sequence[bytes]) -> bytes:
    """The state vector: what is known of each client."""
    return _document(updates).get_state()


def missing_from(state: bytes, updates: Sequence[bytes]) -> bytes:
    """One update with all that somebody with this state vector has not. Raises InvalidUpdate for a state that is none."""
    try:
        return _document(updates).get_update(state)
    except ValueError:
        raise InvalidUpdate() from None


def compact(updates: Sequence[bytes]) -> bytes:
    """One update in place of many, without the content that was deleted.

    An update whose predecessors have not come yet is kept as it is: then nothing is cleaned up this time, because a
    document forgets what it could not integrate.
    """
    merged = merge_updates(*updates)
    document = _document([merged])
    return merged if _has_pending(merged, document.get_state()) else document.get_update()


def _document(updates: Sequence[bytes]) -> Doc[Text]:
    document: Doc[Text] = Doc()
    if updates:
        document.apply_update(merge_updates(*updates) if len(updates) > 1 else updates[0])
    return document


def _has_pending(merged: bytes, state: bytes) -> bool:
    """Whether a document of this state could not take in all of `merged`: content, or a deletion of content."""
    remainder = get_update(merged, state)
    if not only_deletes(remainder):
        return True
    known = dict(_state_entries(state))
    return any(end > known.get(client, 0) for client, end in _deletions(remainder[1:]))


def _state_entries(state: bytes) -> Iterator[tuple[int, int]]:
    decoder = Decoder(state)
    for _ in range(decoder.read_var_uint()):
        yield decoder.read_var_uint(), decoder.read_var_uint()


def _deletions(encoded: bytes) -> Iterable[tuple[int, int]]:
    """(client, clock after the last deleted one) of each range of a delete set."""
    decoder = Decoder(encoded)
    for _ in range(decoder.read_var_uint()):
        client = decoder.read_var_uint()
        for _ in range(decoder.read_var_uint()):
            yield client, decoder.read_var_uint() + decoder.read_var_uint()
