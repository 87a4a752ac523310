"""What the keeper needs to know of a database server in order to look after it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from jiki_core.devserver.ports import free_port

START_SECONDS = 120
STOP_SECONDS = 20


class Engine(Protocol):
    """One kind of server with its data in one folder; only the keeper that holds its lock calls this."""

    #: What people call it in messages.
    title: str
    #: The signal that makes it close its files and end.
    stop_signal: signal.Signals

    def prepare(self) -> None:
        """Make what is missing, and end a server that an earlier keeper left behind. Raises ServiceError."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server without waiting for it. Raises ServiceError."""

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the server that was started answers now."""

    def repair(self, attempt: int) -> bool:
        """Change what may be why the server ended before it was ready, for the `attempt`-th time (from 1).

        False when there is nothing (more) to try.
        """

    def url(self) -> str:
        """The address for clients, with the password."""

    def log_path(self) -> Path:
        """Where the server writes what it has to say."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What a folder remembers of its server between starts: port, password and where its files lie."""

    port: int
    password: str
    #: Set when the files could not lie in the folder itself (postgres_placement.py).
    cluster: str = ""
    binaries: str = ""

    @classmethod
    def load_or_create(cls, path: Path) -> ServerIdentity:
        """The remembered identity, with another port if somebody else has taken that one meanwhile."""
        known = read_json(path)
        identity = cls(
            port=free_port(int(str(known["port"])) if "port" in known else None),
            password=str(known.get("password") or secrets.token_urlsafe(24)),
            cluster=str(known.get("cluster", "")),
            binaries=str(known.get("binaries", "")),
        )
        identity.save(path)
        return identity

    def save(self, path: Path) -> None:
        """Write it where the next start finds it, readable by its owner only."""
        write_json(path, asdict(self))


def read_json(path: Path) -> dict[str, object]:
    """The object in a small state file; empty when the file is missing or not whole."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Replace a small state file in one step, readable by its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    draft.replace(path)


def open_log(path: Path) -> int:
    """A descriptor that appends to a server's log, begun anew once the file has grown beyond 5 MB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if path.exists() and path.stat().st_size > 5_000_000:
        flags |= os.O_TRUNC
    return os.open(path, flags, 0o600)


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log, indented for an error message."""
    try:
        return "\n".join(f"    {line}" for line in path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "    (no log)"


def written_since(path: Path, offset: int) -> str:
    """What a log has gained after its first `offset` bytes."""
    with path.open("rb") as log:
        log.seek(offset)
        return log.read().decode(errors="replace")
