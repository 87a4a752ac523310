"""Ties a child's life to its parent's, and ends processes whose owner is gone."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def dies_with_parent(end_signal: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that has Linux send `end_signal` to the child when the thread that started it is gone.

    None where the system has no such thing; there the next start finds the orphan and ends it.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, int(end_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), end_signal)

    return arm


def command_line(pid: int) -> str:
    """What process `pid` was started as; empty for none, for a zombie, and for one that can't be seen."""
    if pid <= 0:
        return ""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()


def is_alive(pid: int) -> bool:
    """Whether process `pid` runs (a zombie does not)."""
    return command_line(pid) != ""


def end_orphan(pid: int, signals: tuple[signal.Signals, ...], wait_seconds: float) -> bool:
    """Send `signals` in turn, waiting up to `wait_seconds` after each, until `pid` is gone; whether it is."""
    for end_signal in signals:
        try:
            os.kill(pid, end_signal)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        deadline = time.monotonic() + wait_seconds
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return True
            time.sleep(0.02)
    return not is_alive(pid)
