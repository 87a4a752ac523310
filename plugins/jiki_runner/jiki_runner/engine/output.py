"""What a program prints, kept up to a limit and handed out in pieces."""

from __future__ import annotations

import threading


class PrintedOutput:
    """Collects bytes up to `limit` in all; more is counted as cut and dropped. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._room = limit
        self._kept = bytearray()
        self._is_cut = False

    def add(self, data: bytes) -> None:
        """Keep as much of `data` as there is room for."""
        with self._lock:
            if len(data) > self._room:
                self._is_cut = True
                data = data[: self._room]
            self._kept += data
            self._room -= len(data)

    def take(self) -> str:
        """What came in since the last time, as text."""
        with self._lock:
            data, self._kept = bytes(self._kept), bytearray()
        return data.decode("utf-8", "replace")

    @property
    def is_cut(self) -> bool:
        """Was anything dropped?"""
        with self._lock:
            return self._is_cut
