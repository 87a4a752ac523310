"""gunicorn hooks for an app that must not start (exit 78): gunicorn on its own would try again for ever.

The worker's exit status does not reach `child_exit`: the worker leaves it in a byte that both share.
"""

from __future__ import annotations

import mmap
import sys
from typing import Any

from gunicorn.errors import HaltServer

_status = mmap.mmap(-1, 1)  # anonymous and shared over fork


def worker_exit(server: Any, worker: Any) -> None:
    """In the worker: remember the status with which the app refused to be built."""
    leaving = sys.exc_info()[1]
    if not worker.booted and isinstance(leaving, SystemExit) and isinstance(leaving.code, int):
        _status[0] = leaving.code & 0xFF


def child_exit(server: Any, worker: Any) -> None:
    """In the master: end with that status instead of starting another worker."""
    if _status[0]:
        raise HaltServer("the app refuses to start; the causes are listed above", _status[0])
