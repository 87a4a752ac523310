"""File locks between processes. The kernel drops them when their holder dies: none is ever stale."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

POLL_SECONDS = 0.02


class FileLock:
    """An advisory lock (flock) on one file: shared by many holders or exclusive to one.

    The lock belongs to the open file, so a child that was given `fileno()` keeps it when the parent lets go.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether this object has tried the lock and not let go since."""
        return self._descriptor is not None

    def fileno(self) -> int:
        """The descriptor that carries the lock; ValueError when it is not held."""
        if self._descriptor is None:
            raise ValueError(f"the lock {self.path} is not held")
        return self._descriptor

    def try_shared(self) -> bool:
        """Join the holders; False when somebody holds it exclusively."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Become the only holder; False when there is another. A shared hold may be lost when this fails."""
        return self._try(fcntl.LOCK_EX)

    def wait_shared(self, timeout_seconds: float) -> bool:
        """Join the holders as soon as that is possible; False after `timeout_seconds`."""
        deadline = time.monotonic() + timeout_seconds
        while not self.try_shared():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def wait_exclusive(self, timeout_seconds: float) -> bool:
        """Become the only holder as soon as that is possible; False after `timeout_seconds`."""
        deadline = time.monotonic() + timeout_seconds
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def is_free(self) -> bool:
        """Whether nobody at all holds it now; meant for a process that does not hold it itself."""
        free = self.try_exclusive()
        self.release()
        return free

    def release(self) -> None:
        """Let go; a process that was given the descriptor still holds the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self, operation: int) -> bool:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
