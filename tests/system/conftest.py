"""The whole product as separate processes, started the way `bin/dev` starts it, on free ports and a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from jiki_core.devserver.ports import free_port
from jiki_core.testing import wait_until

ROOT = Path(__file__).parents[2]
START_SECONDS = 90


@dataclass
class RunningStack:
    """A running stack and what a person would do with it."""

    origin: str
    cable_url: str
    data_dir: Path
    process: subprocess.Popen[str]
    log: Path

    def flask(self, *arguments: str) -> str:
        """Runs a flask command against the stack, as `bin/flask` does."""
        environment = {**_clean_environment(), "JIKI_DATA_DIR": str(self.data_dir)}
        done = subprocess.run(
            [sys.executable, "-m", "jiki_core.devserver.flask_command", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def mails(self, address: str) -> list[dict[str, Any]]:
        """What was mailed to an address, newest first."""
        messages: list[dict[str, Any]] = requests.get(f"{self.origin}/dev/mail.json", timeout=10).json()["messages"]
        return [one for one in messages if one["to"] == address]


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIKI_")}
    kept.pop("DATABASE_URL", None)
    kept.pop("REDIS_URL", None)
    return kept


@contextlib.contextmanager
def running_stack(data_dir: Path, mode: str, **settings: str) -> Iterator[RunningStack]:
    """Starts a stack and waits for its ready line; stops it and checks that it ends by itself."""
    port, cable_port = free_port(), free_port()
    log = data_dir.parent / f"{data_dir.name}.log"
    command = [sys.executable, "-m", "jiki_core.devserver.stack", "--no-reload", "--port", str(port)]
    command += ["--data-dir", str(data_dir), "--processes", mode, "--cable-port", str(cable_port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_clean_environment() | settings, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        try:
            wait_until(
                lambda: "jiki ready at" in log.read_text() or process.poll() is not None,
                seconds=START_SECONDS,
                what="the ready line",
            )
            assert process.poll() is None, log.read_text()[-4000:]
            socket_port = cable_port if mode == "split" else port
            yield RunningStack(
                f"http://localhost:{port}", f"ws://localhost:{socket_port}/cable", data_dir, process, log
            )
        finally:
            process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + 40
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)  # between two looks
            if process.poll() is None:
                process.kill()
                process.wait()
                raise AssertionError("the stack did not stop within 40 s: " + log.read_text()[-3000:])


@pytest.fixture(scope="module", params=["together", "split"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("stack") / request.param, request.param) as running:
        yield running
