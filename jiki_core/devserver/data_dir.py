"""The folder that holds all state of one stack: who runs on it, and how to start afresh."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jiki_core.devserver.engines import read_json, write_json
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.lifelines import command_line
from jiki_core.devserver.locks import FileLock
from jiki_core.devserver.services import EmbeddedServices

#: How long the processes of a stack that was killed may take to end.
HEAL_SECONDS = 20.0
#: Folder of the state of stand-ins for outside services.
STANDINS_ENTRY = "standins"
#: What `--reset` deletes besides the servers' data. Named, so that a mistyped --data-dir costs nobody a home.
OWN_ENTRIES = ("mail", "storage", STANDINS_ENTRY, "mail.json", "prepared.json", "stack.json", "reload-error.json")


@dataclass(frozen=True, slots=True)
class RunningStack:
    """What a running `bin/dev` tells others about itself."""

    pid: int
    url: str
    #: What its processes were given beyond the embedded servers' addresses.
    environment: Mapping[str, str]


class DataDir:
    """One stack's folder. The lock says whether a stack runs; stack.json says which."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = FileLock(self.path / "stack.lock")
        self._is_ours = False

    @property
    def mail(self) -> Path:
        """The mail catcher's Maildir."""
        return self.path / "mail"

    @property
    def lock_descriptor(self) -> int:
        """The descriptor that keeps the folder taken in whichever process has it."""
        return self._lock.fileno()

    def take(self) -> None:
        """Become the folder's stack; waits for the remains of one that was killed. Raises ServiceError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._is_ours = self._lock.try_exclusive()
        except OSError as error:
            raise self._unusable(error) from None
        other = self._read()
        if not self._is_ours and "jiki_core.devserver.stack" not in command_line(other.pid):
            self._is_ours = self._lock.wait_exclusive(HEAL_SECONDS)  # its reaper is at work
        if not self._is_ours:
            self._lock.release()
            raise ServiceError(
                f"a stack is already running on {self.path}: {other.url} (process {other.pid})",
                "use that one, stop it (Ctrl-C there), or run another with --data-dir DIR --port N",
            )

    def leave(self) -> None:
        """Give the folder free."""
        if self._is_ours:
            self._is_ours = False
            (self.path / "stack.json").unlink(missing_ok=True)
            self._lock.release()

    def announce(self, url: str, environment: Mapping[str, str]) -> None:
        """Tell `bin/flask` where we are."""
        write_json(self.path / "stack.json", {"pid": os.getpid(), "url": url, "environment": dict(environment)})

    def running_stack(self) -> RunningStack | None:
        """The stack that runs on this folder now, if any. Raises ServiceError when we may not look."""
        try:
            is_running = self.path.exists() and not self._lock.is_free()
        except OSError as error:
            raise self._unusable(error) from None
        return self._read() if is_running else None

    def reset(self) -> None:
        """Delete all data; the folder must be taken. Raises ServiceError while anybody uses the servers."""
        EmbeddedServices(self.path).remove()
        for name in OWN_ENTRIES:
            entry = self.path / name
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)

    def _unusable(self, error: OSError) -> ServiceError:
        return ServiceError(
            f"the data folder {self.path} can't be used: {error.strerror}",
            "run as its owner, or choose a folder of your own with --data-dir (JIKI_DATA_DIR)",
        )

    def _read(self) -> RunningStack:
        content = read_json(self.path / "stack.json")
        environment = content.get("environment")
        pid = content.get("pid")
        return RunningStack(
            pid=pid if isinstance(pid, int) else 0,
            url=str(content.get("url") or "still starting"),
            environment={str(k): str(v) for k, v in environment.items()} if isinstance(environment, dict) else {},
        )
