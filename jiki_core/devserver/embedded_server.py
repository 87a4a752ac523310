"""One user's side of an embedded server: see to it that a keeper looks after it, wait for it, leave it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from jiki_core.devserver import postgres_placement
from jiki_core.devserver.engines import START_SECONDS, STOP_SECONDS, read_json, tail
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.lifelines import is_alive
from jiki_core.devserver.locks import FileLock

#: How long a process may take to be gone after it was killed.
DYING_SECONDS = 0.05
#: Keepers we started and left to other users; collected when they have ended.
_outlived: list[subprocess.Popen[bytes]] = []


class EmbeddedServer:
    """One user's hold on the keeper of one server in `folder` (`kind`: postgres or valkey)."""

    def __init__(self, kind: str, folder: Path, *, durable: bool) -> None:
        self._kind = kind
        self._folder = folder
        self._durable = durable
        self._users = FileLock(folder / "users.lock")
        self._keeper = FileLock(folder / "keeper.lock")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def is_new(self) -> bool:
        """Whether no server was ever set up here."""
        return not (self._folder / "server.json").exists()

    def join(self) -> None:
        """Become a user, and see to it that there is a keeper. Raises ServiceError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            joined = self._users.wait_shared(STOP_SECONDS * 3)
        except PermissionError as error:
            raise ServiceError(
                f"{error.filename or self._folder} belongs to another user",
                "run as that user, or choose a folder of your own with --data-dir (JIKI_DATA_DIR)",
            ) from None
        if not joined:
            raise ServiceError(
                f"the {self._kind} in {self._folder} has been stopping for a minute", "look at its server.log"
            )
        self._ensure_keeper()

    def wait_ready(self) -> str:
        """The address, once the server answers. Raises ServiceError in the keeper's words when it gave up."""
        deadline = time.monotonic() + START_SECONDS + 10
        while time.monotonic() < deadline:
            # The lock is looked at first: what is written counts only while its writer lives.
            is_kept = not self._keeper.is_free()
            state = read_json(self._folder / "state.json")
            if state.get("status") == "failed":
                self.leave()
                raise ServiceError(str(state["cause"]), str(state["remedy"]))
            if is_kept and state.get("status") == "ready" and (self._child is not None or self._is_alive(state)):
                return str(state["url"])
            if not is_kept:
                if self._child is not None and self._child.poll() is not None:
                    self.leave()
                    raise ServiceError(
                        f"the keeper of {self._kind} in {self._folder} ended at once:\n"
                        + tail(self._folder / "keeper.log"),
                        "see the lines above",
                    )
                self._ensure_keeper()
            time.sleep(0.01)
        self.leave()
        raise ServiceError(f"{self._kind} in {self._folder} did not become ready", "look at its server.log")

    def _is_alive(self, state: Mapping[str, object]) -> bool:
        """Whether a keeper that others started, and its server, live on: one that was just killed holds its lock still."""
        time.sleep(DYING_SECONDS)
        pids = (state.get("keeper_pid"), state.get("server_pid"))
        is_kept = not self._keeper.is_free() and read_json(self._folder / "state.json") == state
        return is_kept and all(isinstance(pid, int) and is_alive(pid) for pid in pids)

    def leave(self) -> None:
        """Stop being a user; the last one returns when the server has stopped. Harmless when repeated."""
        if not self._users.is_open:
            return
        if not self._folder.exists():  # deleted under us: the keeper sees that too, and ends
            self._users.release()
            return
        is_last = self._users.try_exclusive()
        if is_last or not self._users.try_shared():  # not shared: somebody else is the last, or the keeper ends
            self._await_end(is_told=not is_last)
        elif self._child is not None:
            _outlived.append(self._child)
            self._child = None
        self._users.release()

    def remove(self) -> None:
        """Delete the server and its data. Raises ServiceError while anybody uses it."""
        if not self._folder.exists():
            return
        try:
            if not self._users.wait_exclusive(2):
                raise ServiceError(
                    f"the {self._kind} in {self._folder} is in use",
                    "stop the stack that runs on it (Ctrl-C in bin/dev)",
                )
            postgres_placement.forget(Path(str(read_json(self._folder / "server.json").get("cluster") or "none")))
            shutil.rmtree(self._folder)
        finally:
            self._users.release()

    def _await_end(self, *, is_told: bool) -> None:
        """Tell the keeper to stop, unless it knows, and wait until it has."""
        deadline = time.monotonic() + STOP_SECONDS * 3
        while not self._keeper.try_exclusive() and time.monotonic() < deadline:
            # While its lock is held, what is written is its own pid, not one from before.
            pid = read_json(self._folder / "state.json").get("keeper_pid")
            if not is_told and isinstance(pid, int):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                is_told = True
            time.sleep(0.01)
        self._keeper.release()
        self._collect_child()

    def _collect_child(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _ensure_keeper(self) -> None:
        if not self._keeper.try_exclusive():
            return
        self._collect_child()  # it held the lock, so it has ended
        _outlived[:] = [keeper for keeper in _outlived if keeper.poll() is None]
        # The lock goes to the child with the descriptor, so there is no moment without a holder.
        try:
            (self._folder / "state.json").unlink(missing_ok=True)
            with (self._folder / "keeper.log").open("wb") as log:
                self._child = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "jiki_core.devserver.keeper",
                        self._kind,
                        str(self._folder.resolve()),
                        "durable" if self._durable else "throwaway",
                        str(self._keeper.fileno()),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(self._keeper.fileno(),),
                    start_new_session=True,  # Ctrl-C is for its users
                )
        finally:
            self._keeper.release()
