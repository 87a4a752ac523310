"""Saving a file: good code takes over, broken code never does, and the error says where and what to do."""

from __future__ import annotations

import io
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jiki_core.devserver.listening import bindings, listen
from jiki_core.devserver.locks import FileLock
from jiki_core.devserver.ports import free_port
from jiki_core.devserver.processes import LogPrinter, ProcessGroup, Program
from jiki_core.devserver.reaper import Reaper
from jiki_core.devserver.reload import CodeWatcher, Reloader
from jiki_core.devserver.verdict import read_error

#: As small as an app of ours can be: it says what `greeting.py` says, and knows the states of its plugins.
WSGI = """
from types import SimpleNamespace
import greeting

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [greeting.TEXT.encode()]

status = SimpleNamespace(name="learning", state=greeting.STATE, cause="its hook raised", remedy="mend the hook")
seed = SimpleNamespace(env="development", notice="sample account: ann@example.org")
app.extensions = {
    "jiki.host": SimpleNamespace(statuses=lambda: [status]),
    "jiki.assembly": SimpleNamespace(seeds=[("learning", seed)]),
}
"""


@dataclass
class Project:
    """A project with one server under the reloader."""

    folder: Path
    port: int
    watcher: CodeWatcher
    reloader: Reloader
    log: io.StringIO

    def write(self, source: str) -> None:
        (self.folder / "greeting.py").write_text(source)

    def take_save(self) -> None:
        """Wait until the watcher has seen the save, then do what `bin/dev` does."""
        deadline = time.monotonic() + 10
        while not (saved := self.watcher.saved(0.1)):
            assert time.monotonic() < deadline, "the watcher saw nothing"
        self.reloader.reload(saved)

    def soon_says(self, text: str) -> bool:
        """Whether `text` is what is served, as soon as the replaced server has closed its ears."""
        deadline = time.monotonic() + 5
        while self.greeting() != text and time.monotonic() < deadline:
            pass
        return self.greeting() == text

    def greeting(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as response:
            return str(response.read().decode())

    def error(self) -> dict[str, object]:
        return read_error(self.folder) or {}


def good(text: str, state: str = "running") -> str:
    return f"TEXT = {text!r}\nSTATE = {state!r}\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "wsgi.py").write_text(WSGI)
    (tmp_path / "greeting.py").write_text(good("first"))
    port, log = free_port(), io.StringIO()
    listeners: list[socket.socket] = listen("localhost", port)
    command = (sys.executable, "-m", "gunicorn", "-c", "python:jiki_core.serving.web", *bindings(listeners))
    server = Program(
        "web",
        (*command, "--graceful-timeout", "1", "jiki_core.devserver.guarded:app"),
        {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        tmp_path,
        tuple(listener.fileno() for listener in listeners),
    )
    lock = FileLock(tmp_path / "stack.lock")
    lock.try_exclusive()
    reaper = Reaper(lock.fileno())
    group = ProcessGroup(LogPrinter(log), reaper)
    watcher = CodeWatcher(tmp_path)
    reloader = Reloader(group, [server], [], tmp_path, lambda message: print(message, file=log), watcher.has_saved)
    assert reloader.first_start() is None, log.getvalue()
    yield Project(tmp_path, port, watcher, reloader, log)
    watcher.close()
    group.stop()
    reaper.close()
    lock.release()
    for listener in listeners:
        listener.close()


def test_a_save_is_served_and_broken_code_is_not(project: Project) -> None:
    assert project.greeting() == "first"
    project.write(good("second"))
    project.take_save()
    assert project.soon_says("second")

    project.write("TEXT = 'third'\nSTATE = (\n")
    project.take_save()
    assert project.greeting() == "second"
    assert project.error()["file"] == str(project.folder / "greeting.py")
    assert project.error()["line"] == 2
    assert "SyntaxError" in str(project.error()["message"])
    assert project.error()["remedy"] == "correct this line and save"
    assert "greeting.py:2: SyntaxError" in project.log.getvalue()

    project.write("STATE = 'running'\n\nTEXT = undefined_name\n")
    project.take_save()
    assert project.greeting() == "second"
    assert (project.error()["file"], project.error()["line"]) == (str(project.folder / "greeting.py"), 3)
    assert "NameError" in str(project.error()["message"])

    project.write(good("fourth"))
    project.take_save()
    assert project.soon_says("fourth")
    assert read_error(project.folder) is None


def test_code_with_which_a_plugin_would_stop_running_is_not_taken(project: Project) -> None:
    project.write(good("second", state="invalid"))
    project.take_save()
    assert project.greeting() == "first"
    assert project.error()["message"] == "plugin learning would be invalid: its hook raised"
    assert project.error()["remedy"] == "mend the hook"


def test_a_plugin_that_is_broken_from_the_start_is_named_with_its_remedy(project: Project) -> None:
    project.write(good("first", state="invalid"))
    assert project.reloader.first_start() is None
    assert project.reloader.findings.broken_plugins() == [
        "plugin learning is invalid: its hook raised\n  remedy: mend the hook"
    ]


def test_a_plugin_that_is_switched_off_on_purpose_is_taken(project: Project) -> None:
    project.write(good("second", state="available"))
    project.take_save()
    assert project.soon_says("second")


def test_what_seeds_have_to_say_is_known_after_the_start(project: Project) -> None:
    assert project.reloader.findings.notices == ["sample account: ann@example.org"]


def test_a_project_that_is_broken_from_the_start_does_not_start(project: Project) -> None:
    project.write("TEXT = undefined_name\n")
    breakage = project.reloader.first_start()
    assert breakage is not None
    assert breakage.sentence().startswith(f"{project.folder / 'greeting.py'}:1: NameError")
