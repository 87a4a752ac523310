"""`bin/dev` and `bin/flask` as people call them, on the real project."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from jiki_core.devserver.ports import free_port, is_port_free
from jiki_core.devserver.services import EmbeddedServices

ROOT = Path(__file__).resolve().parents[2]


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Stack:
    """One `bin/dev` under a data folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        self._output = folder / "stdout"
        self._log = folder / "stderr"
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("JIKI_") and name not in ("DATABASE_URL", "REDIS_URL")
        } | {"JIKI_DATA_DIR": str(self.data_dir)}

    def start(self) -> None:
        with self._output.open("wb") as output, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [ROOT / "bin" / "dev", "--port", str(self.port), "--no-reload"],
                env=self.environment,
                stdout=output,
                stderr=log,
            )
        assert eventually(lambda: "mail outbox" in self.output() or self.has_ended(), 100), self.log()
        assert not self.has_ended(), self.log()

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def end(self, end_signal: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(end_signal)
        status = self._process.wait(60)
        self._process = None
        return status

    def output(self) -> str:
        return self._output.read_text()

    def log(self) -> str:
        return self._log.read_text()

    def flask(self, *arguments: str) -> str:
        done = subprocess.run(
            [ROOT / "bin" / "flask", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def processes(self) -> str:
        """All that runs on this stack's data folder or port."""
        shown = subprocess.run(["ps", "axeww", "-o", "args"], capture_output=True, text=True, check=True).stdout
        return "\n".join(line[:200] for line in shown.splitlines() if str(self.data_dir) in line)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    yield stack
    if not stack.has_ended():
        stack.end(signal.SIGKILL)
    eventually(lambda: is_port_free(stack.port), 20)
    EmbeddedServices(stack.data_dir).remove()


def test_it_starts_from_nothing_survives_a_kill_and_stops_cleanly(stack: Stack) -> None:
    stack.start()
    lines = stack.output().splitlines()
    assert [line for line in lines if "jiki ready" in line] == [f"jiki ready at http://localhost:{stack.port}"]
    assert f"http://localhost:{stack.port}/openapi/docs" in stack.output()
    with urllib.request.urlopen(f"http://localhost:{stack.port}/health-check", timeout=10) as response:
        assert response.status == 200
    listed = json.loads(stack.flask("plugins", "list", "--json"))
    assert {plugin["name"] for plugin in listed["plugins"]} >= {"auth", "learning", "payments", "i18n"}
    assert f"public_url = http://localhost:{stack.port}" in stack.flask("config", "show")

    stack.end(signal.SIGKILL)
    stack.start()
    assert "migrating" not in stack.log()  # nothing has changed since
    assert stack.end(signal.SIGTERM) == 0
    assert stack.processes() == ""
    assert is_port_free(stack.port)


def test_a_checkout_is_paid_at_the_stand_in_without_an_account_at_stripe(stack: Stack) -> None:
    stack.start()
    api = f"http://localhost:{stack.port}/api/v1"
    page = next(line.split()[-1] for line in stack.output().splitlines() if line.split()[:1] == ["stripe"])
    with requests.Session() as browser:
        sample = {"email": "learner@example.com", "password": "maple sundial 41"}
        signed_in = browser.post(f"{api}/auth/login", json={"user": sample, "cf_turnstile_response": "any"}, timeout=10)
        assert signed_in.json()["user"]["membership_type"] == "standard"
        wanted = {"interval": "monthly", "return_url": "http://localhost:3061/settings"}
        opened = browser.post(f"{api}/internal/subscriptions/checkout_session", json=wanted, timeout=30).json()
        session_id = opened["client_secret"].partition("_secret_")[0]
        paid = requests.post(f"{page}checkout/{session_id}/complete", json={"outcome": "paid"}, timeout=10)
        assert paid.status_code == 200

        def is_premium() -> bool:
            me = browser.get(f"{api}/internal/me", timeout=10).json()
            return bool(me["user"]["membership_type"] == "premium")

        assert eventually(is_premium, 20), stack.log()  # by the signed webhook alone
    assert stack.end(signal.SIGTERM) == 0
    assert stack.processes() == ""


def test_a_port_that_is_taken_is_a_one_line_error_with_its_remedy(stack: Stack) -> None:
    with subprocess.Popen(
        ["python3", "-m", "http.server", "--bind", "127.0.0.1", str(stack.port)], stderr=subprocess.DEVNULL
    ) as other:
        assert eventually(lambda: not is_port_free(stack.port), 20)
        refused = subprocess.run(
            [ROOT / "bin" / "dev", "--port", str(stack.port)],
            env=stack.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        other.kill()
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert f"port {stack.port} on 127.0.0.1 can't be used" in refused.stderr
    assert "--port" in refused.stderr


def test_flask_commands_start_servers_only_when_they_need_them(stack: Stack) -> None:
    assert "Usage: bin/flask" in stack.flask("--help")
    stack.flask("plugins", "list")
    assert not (stack.data_dir / "postgres").exists()
    stack.flask("jobs", "status")  # on a database that is made and migrated for it
    assert (stack.data_dir / "postgres").exists()
    assert stack.processes() == ""
