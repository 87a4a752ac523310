"""Ends the processes of a `bin/dev` that was killed, so that none outlives it.

It reads `+PID` and `-PID` lines (leaders of process groups) from its owner. When the pipe ends, which the
kernel sees to even after kill -9, whatever is still listed is ended. It holds the data folder's stack lock
meanwhile, so that the next start waits for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

from jiki_core.devserver.lifelines import is_alive

GRACE_SECONDS = 3.0


class Reaper:
    """The owner's side: tells the reaper process which groups are ours."""

    def __init__(self, lock_descriptor: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jiki_core.devserver.reaper"],
            stdin=subprocess.PIPE,
            pass_fds=(lock_descriptor,),
            start_new_session=True,  # a signal to the owner's group must not hit it too
        )

    def watch(self, pid: int) -> None:
        """End the group of `pid` if the owner dies."""
        self._tell(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        """That group has ended; its number may be somebody else's soon."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """All is ended; nothing is left to do for it."""
        assert self._process.stdin is not None  # given above
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # given above
        with contextlib.suppress(BrokenPipeError):  # it was killed: the children still die with us on Linux
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def end_groups(leaders: Iterable[int], grace_seconds: float) -> None:
    """Ask the process groups to end, and kill what is left after `grace_seconds`."""
    remaining = set(leaders)
    for leader in remaining:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while any(is_alive(leader) for leader in remaining) and time.monotonic() < deadline:
        time.sleep(0.05)
    for leader in remaining:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def main() -> None:
    """Read until the owner is gone, then end what it left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change, pid = line[0], int(line[1:])
        if change == "+":
            groups.add(pid)
        else:
            groups.discard(pid)
    if groups:
        end_groups(groups, GRACE_SECONDS)


if __name__ == "__main__":
    main()
