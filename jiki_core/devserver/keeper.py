"""The keeper: the process that owns one server of one data folder, for as long as anybody uses it.

Users hold a shared lock on `users.lock`; the first one starts the keeper and hands it the exclusive lock
`keeper.lock`. When the last user is gone, however it went, the keeper gets `users.lock` for itself, stops the
server and ends. The server is its child: it is restarted after a crash, and ends with the keeper.

    python -m jiki_core.devserver.keeper postgres|valkey FOLDER durable|throwaway LOCK_DESCRIPTOR
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from jiki_core.devserver.engines import START_SECONDS, STOP_SECONDS, Engine, tail, write_json
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.locks import FileLock
from jiki_core.devserver.postgres import PostgresEngine
from jiki_core.devserver.valkey import ValkeyEngine

#: Beyond this many crashes in CRASH_WINDOW_SECONDS, restarting is given up.
MAX_CRASHES = 5
CRASH_WINDOW_SECONDS = 60


class Keeper:
    """Looks after one engine until nobody uses it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._users = FileLock(folder / "users.lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._is_told_to_stop = False

    def run(self) -> int:
        """Serve until unused or told to stop; the exit status."""
        signal.signal(signal.SIGTERM, self._stop_soon)
        signal.signal(signal.SIGINT, self._stop_soon)
        self._publish("starting")
        try:
            self._engine.prepare()
            self._bring_up()
            self._watch()
        except ServiceError as error:
            self._publish("failed", cause=error.cause, remedy=error.remedy)
            return 1
        finally:
            self._take_down()
        return 0

    def _bring_up(self) -> None:
        """Start the server and wait until it answers, repairing what can be repaired."""
        for attempt in itertools.count(1):
            process = self._process = self._engine.start()
            deadline = time.monotonic() + START_SECONDS
            while process.poll() is None:
                if self._engine.is_ready(process):
                    self._publish("ready", url=self._engine.url(), server_pid=process.pid)
                    return
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"{self._engine.title} did not become ready within {START_SECONDS} s; "
                        f"the end of {self._engine.log_path()}:\n{tail(self._engine.log_path())}",
                        "see the lines above",
                    )
                if self._is_told_to_stop:
                    return
                time.sleep(0.01)
            if not self._engine.repair(attempt):
                raise ServiceError(
                    f"{self._engine.title} ended at once (exit {process.returncode}); "
                    f"the end of {self._engine.log_path()}:\n{tail(self._engine.log_path())}",
                    "see the lines above; bin/dev --reset starts with empty data",
                )

    def _watch(self) -> None:
        crashes: list[float] = []
        while not self._is_told_to_stop and self._users.path.exists() and not self._users.try_exclusive():
            if self._process is not None and self._process.poll() is not None:
                now = time.monotonic()
                crashes = [moment for moment in crashes if now - moment < CRASH_WINDOW_SECONDS] + [now]
                if len(crashes) > MAX_CRASHES:
                    raise ServiceError(
                        f"{self._engine.title} crashed {MAX_CRASHES} times within {CRASH_WINDOW_SECONDS} s; "
                        f"the end of {self._engine.log_path()}:\n{tail(self._engine.log_path())}",
                        "see the lines above",
                    )
                self._publish("restarting")
                self._engine.prepare()
                self._bring_up()
            time.sleep(0.1)

    def _take_down(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        for end_signal in (self._engine.stop_signal, signal.SIGQUIT, signal.SIGKILL):
            process.send_signal(end_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
                return

    def _publish(self, status: str, **details: str | int) -> None:
        write_json(self._folder / "state.json", {"status": status, "keeper_pid": os.getpid(), **details})

    def _stop_soon(self, signal_number: int, frame: FrameType | None) -> None:
        self._is_told_to_stop = True


def main(arguments: list[str]) -> int:
    """Keep the server that the command line names; the lock descriptor stays open until this process ends."""
    kind, folder, durability, _descriptor = arguments
    path = Path(folder)
    is_durable = durability == "durable"
    make: Callable[..., Engine] = PostgresEngine if kind == "postgres" else ValkeyEngine
    engine = make(path, durable=is_durable)
    return Keeper(engine, path).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
