"""The product's processes on the laboratory's database: started, killed, started again by a small supervisor."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.plugin_factory import FLASK

WEB = (
    sys.executable,
    "-m",
    "gunicorn",
    "-c",
    "python:jiki_core.serving.web",
    "jiki_core:create_app()",
    "--workers",
    "1",
)


class Supervisor:
    """Keeps named processes running: one that ends is started again, until `close`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._commands: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._is_closing = threading.Event()
        self.log = (folder / "processes.log").open("ab")
        self._keeper = threading.Thread(target=self._keep, daemon=True, name="supervisor")
        self._keeper.start()

    def start(self, name: str, *command: str) -> None:
        with self._lock:
            self._commands[name] = command
            self._launch(name)

    def start_worker(self, name: str, *queues: str) -> None:
        options = [part for queue in queues for part in ("--queue", queue)]
        self.start(name, *FLASK, "jobs", "worker", *options)

    def start_scheduler(self, name: str = "scheduler") -> None:
        self.start(name, *FLASK, "jobs", "scheduler")

    def start_web(self, name: str, port: int) -> None:
        self.start(name, *WEB, "--bind", f"127.0.0.1:{port}")

    def kill(self, name: str) -> None:
        """kill -9, the children included; the supervisor starts it again."""
        with self._lock:
            process = self._running[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    def stop(self, name: str) -> None:
        """kill -9, and not started again."""
        with self._lock:
            self._commands.pop(name, None)
        self.kill(name)

    def close(self) -> None:
        self._is_closing.set()
        self._keeper.join(20)
        with self._lock:
            self._commands.clear()
            for process in self._running.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)
        self.log.close()

    def _launch(self, name: str) -> None:
        self._running[name] = subprocess.Popen(
            self._commands[name],
            cwd=self._folder,
            env=self._environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def _keep(self) -> None:
        while not self._is_closing.wait(0.1):
            with self._lock:
                for name in self._commands:
                    if self._running[name].poll() is not None:
                        self._launch(name)


@contextlib.contextmanager
def supervised(folder: Path, environment: Mapping[str, str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(folder, environment)
    try:
        yield supervisor
    finally:
        supervisor.close()
