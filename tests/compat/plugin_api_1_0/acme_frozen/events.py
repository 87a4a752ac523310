"""What frozen tells others."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core import Event


@dataclass(frozen=True)
class NoteWritten(Event):
    """A user wrote a note. Emitted once per note, in the order of writing."""

    name = "frozen.note_written"
    version = 1
    ordered_by = "user_id"

    user_id: int
    note_id: int
