"""Frames on two file descriptors: how a guest interpreter talks to the host that runs it.

A frame is four bytes of length (big-endian), one byte saying what it is, and the payload. The host relays
`PEER` frames between the two interpreters and keeps `HOST` frames; only the host itself can send `GONE`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from typing import TextIO

PEER = b"P"  #: for, or from, the other interpreter
HOST = b"H"  #: from the tests' interpreter to the host: an event of the run, JSON
GONE = b"G"  #: from the host: the other interpreter has ended; the payload is the reason, text

HEADER_BYTES = 5
MAXIMUM_PAYLOAD_BYTES = 8 * 1024 * 1024


def open_printed() -> TextIO:
    """Standard output of a guest: descriptor 2, as the line has taken 0 and 1."""
    return open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


class WireClosed(Exception):
    """The host has closed the line, or a frame is malformed; nothing more can be said."""


class Wire:
    """One end of the line. Not thread-safe: a guest has one thread."""

    def __init__(self, read_descriptor: int = 0, write_descriptor: int = 1) -> None:
        self._read_descriptor = read_descriptor
        self._write_descriptor = write_descriptor
        # Kept by reference, so that a program that replaces os.read does not cut its own line by accident.
        self._read = os.read
        self._write = os.write

    def send(self, kind: bytes, payload: bytes) -> None:
        """Send one frame. Raises ValueError for a payload over the limit, before anything is sent."""
        if len(payload) > MAXIMUM_PAYLOAD_BYTES:
            raise ValueError(f"a value of {len(payload)} bytes is too large to hand over")
        data = memoryview(len(payload).to_bytes(4, "big") + kind + payload)
        while data:
            data = data[self._write(self._write_descriptor, data) :]

    def receive(self) -> tuple[bytes, bytes]:
        """Wait for one frame: (kind, payload). Raises WireClosed at the end of the line."""
        header = self._read_exactly(HEADER_BYTES)
        length = int.from_bytes(header[:4], "big")
        if length > MAXIMUM_PAYLOAD_BYTES:
            raise WireClosed(f"a frame announces {length} bytes")
        return header[4:5], self._read_exactly(length)

    def _read_exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = self._read(self._read_descriptor, count)
            if not part:
                raise WireClosed("the host closed the line")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
