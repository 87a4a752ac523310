"""What a client has missed, decided from a snapshot of a stream's log: pure functions over values
(realtime.md 1.8).

The rule: an answer is complete, or there is none. Where AnyCable refuses a stream whose log has run out
although nothing was missed, these confirm it.
"""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.cable.protocol import HistoryRequest, Position


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a log. `at` is Unix milliseconds of Valkey's clock, `message` its JSON."""

    offset: int
    at: int
    message: bytes


@dataclass(frozen=True, slots=True)
class LogPage:
    """A stream's log at one moment. `entries` is what is kept, in order, from some offset on."""

    position: Position
    entries: tuple[Entry, ...]
    #: when the newest message came (Unix milliseconds), 0 for none in this epoch
    newest_at: int = 0
    #: from when on (Unix milliseconds) it is certain that every message was counted in this epoch
    known_since: int = 0


def entries_after(page: LogPage, position: Position) -> tuple[Entry, ...] | None:
    """Everything after a position; None when part of it is gone or the position is not of this stream's
    life."""
    if position.epoch != page.position.epoch or not 0 <= position.offset <= page.position.offset:
        return None
    missed = tuple(entry for entry in page.entries if entry.offset > position.offset)
    return missed if len(missed) == page.position.offset - position.offset else None


def entries_since(page: LogPage, seconds: float) -> tuple[Entry, ...] | None:
    """Everything from a time on (inclusive); None when part of it may be gone."""
    since = seconds * 1000
    if since < page.known_since:
        return None
    if page.newest_at < since:
        return ()
    kept = page.entries
    is_whole = bool(kept) and (kept[0].offset == 1 or kept[0].at < since)
    if not is_whole or kept[-1].offset != page.position.offset:
        return None
    return tuple(entry for entry in kept if entry.at >= since)


def missed_by(
    page: LogPage, request: HistoryRequest, stream: str, *, began: Position | None, sent: Position | None
) -> tuple[Entry, ...] | None:
    """What a request gets of one stream; None when it must be refused.

    `began` is where the subscription began on this connection and `sent` the newest it was sent (None:
    nothing known). A client that names a position is taken at its word. One that names a time could not know
    what was sent meanwhile: that is not repeated, unless older messages have to go before it. What came after
    `sent` always belongs to the answer, whatever the client's clock says.
    """
    named = request.streams.get(stream)
    if named is not None:
        return entries_after(page, named)
    unsent = () if sent is None else entries_after(page, sent)
    if request.since is None or unsent is None:
        return unsent
    recent = entries_since(page, request.since)
    if recent and (began is None or recent[0].offset <= began.offset):
        return recent
    return None if recent is None else unsent
