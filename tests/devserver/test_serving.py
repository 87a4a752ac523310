"""gunicorn's configurations: an app that refuses to start ends the server with its own status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.listening import listen
from jiki_core.devserver.ports import free_port


@pytest.mark.parametrize("kind", ["web", "cable"])
def test_an_app_that_refuses_to_start_ends_gunicorn_with_78(tmp_path: Path, kind: str) -> None:
    (tmp_path / "refusing.py").write_text("import os\nassert os.environ['JIKI_ROLE']\nraise SystemExit(78)\n")
    command = [sys.executable, "-m", "gunicorn", "-c", f"python:jiki_core.serving.{kind}", "refusing:app"]
    ended = subprocess.run(
        [*command, "--bind", f"127.0.0.1:{free_port()}"],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 78
    assert "the app refuses to start" in ended.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    port = free_port()
    listeners = listen("localhost", port)
    try:
        with pytest.raises(ServiceError, match=rf"port {port} on 127.0.0.1 can't be used.*\n.*--port {port + 10}"):
            listen("localhost", port)
    finally:
        for listener in listeners:
            listener.close()


def test_localhost_answers_on_both_of_its_addresses() -> None:
    listeners = listen("localhost", free_port())
    addresses = {listener.getsockname()[0] for listener in listeners}
    for listener in listeners:
        listener.close()
    assert addresses <= {"127.0.0.1", "::1"}
    assert "127.0.0.1" in addresses
