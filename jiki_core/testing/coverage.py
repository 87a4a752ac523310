"""Which routes the suite has called, over all its worker processes: a route that no test reaches with 2xx fails the full run."""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLE = "JIKI_TEST_ROUTES_FILE"
_seen: set[str] = set()


def record_hit(operation: str, status: int) -> None:
    """Notes a route that answered with success."""
    target = os.environ.get(_VARIABLE)
    if target is None or status >= 400 or operation in _seen:
        return
    _seen.add(operation)
    with Path(target).open("a", encoding="utf-8") as file:
        file.write(f"{operation}\n")


def start_recording(file: Path) -> None:
    """Called once, by the process that starts the workers."""
    file.write_text("", encoding="utf-8")
    os.environ[_VARIABLE] = str(file)


def reached() -> set[str]:
    """Operations such as `GET /api/v1/internal/me` that answered with success so far."""
    target = os.environ.get(_VARIABLE)
    return set(Path(target).read_text(encoding="utf-8").splitlines()) if target else set()
