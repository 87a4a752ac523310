"""The product's processes on a PostgreSQL and a Valkey of their own, each of which a test may end and start again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import requests
from flask import Flask

from jiki_core.app import create_app
from jiki_core.cable import issue_cable_token, verify_cable_token
from jiki_core.devserver.lifelines import dies_with_parent
from jiki_core.devserver.ports import free_port
from jiki_core.devserver.postgres import PostgresEngine
from jiki_core.devserver.valkey import ValkeyEngine
from jiki_core.runtime import runtime_of
from jiki_core.settings import Sources
from jiki_core.testing import wait_until
from jiki_core.testing.databases import dispose, migrate

ROOT = Path(__file__).parents[2]
GUNICORN = (sys.executable, "-m", "gunicorn", "--graceful-timeout", "4")
APP = "jiki_core:create_app()"


class LiveStage:
    """Two cable processes (one serves with gevent, as in production, one with threads), web and a scheduler."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._engines: dict[str, Any] = {
            "postgres": PostgresEngine(_made(folder / "postgres"), durable=False),
            "valkey": ValkeyEngine(_made(folder / "valkey"), durable=True),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log = (folder / "processes.log").open("wb")
        for name, engine in self._engines.items():
            engine.prepare()
            self._start_engine(name)
        self.environment = {
            "JIKI_ENV": "test",
            "JIKI_PLUGINS_ENABLED": "auth,learning",
            "JIKI_LOG_LEVEL": "ERROR",
            "JIKI_STORAGE_DIR": str(_made(folder / "files")),
            "JIKI_AUTH_ARGON2_MEMORY_KIB": "8",
            "JIKI_AUTH_ARGON2_ITERATIONS": "1",
            "DATABASE_URL": self._engines["postgres"].url(),
            "REDIS_URL": self._engines["valkey"].url(),
            **settings,
        }
        self.app: Flask = create_app("maintenance", sources=Sources({}, self.environment))
        self.ports = {name: free_port() for name in ("web", "gevent", "threads")}
        self.commands: dict[str, tuple[str, ...]] = {
            "web": self._serving("web", "web"),
            "gevent": self._serving("cable", "gevent"),
            "threads": (*self._serving("web", "threads"), "--threads", "50"),
            "scheduler": (sys.executable, "-m", "flask", "jobs", "scheduler"),
        }

    def run(self) -> None:
        """Migrates the database and starts all processes."""
        migrate(self.app)
        dispose(self.app)
        self.app = create_app("maintenance", sources=Sources({}, self.environment))
        for name in self.commands:
            self.start(name)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    @property
    def cable_urls(self) -> list[str]:
        return [f"ws://127.0.0.1:{self.ports[name]}/cable" for name in ("gevent", "threads")]

    def lasting(self, token: str) -> str:
        """The same cable token, with a life that outlasts every test: clients here do not refresh theirs."""
        key = runtime_of(self.app).settings.cable_key
        said = verify_cable_token(key, token, now=time.time())
        return issue_cable_token(key, said.user_id, session_id=said.session_id, now=time.time(), seconds=7_200)

    def start(self, name: str) -> None:
        """Starts a process of the product; a serving one answers when this returns."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JIKI_")}
        self._processes[name] = subprocess.Popen(
            self.commands[name],
            cwd=ROOT,
            env=environment | self.environment | {"FLASK_APP": APP.removesuffix("()")},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        if name in self.ports:
            wait_until(lambda: self._answers(name), seconds=60, what=f"an answer of {name}")

    def kill(self, name: str) -> None:
        """kill -9, its children included."""
        os.killpg(self._processes[name].pid, signal.SIGKILL)
        self._processes[name].wait(20)

    def restart(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends a process of the product, suddenly or in good order, and starts it again."""
        if how is signal.SIGKILL:
            self.kill(name)
        else:
            self._processes[name].send_signal(how)
            self._processes[name].wait(40)
        self.start(name)

    def restart_engine(self, name: str, away_until: Callable[[], object]) -> None:
        """Ends PostgreSQL or Valkey at once, and starts it again when `away_until` returns."""
        process = self._processes[name]
        process.send_signal(signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
        process.wait(20)
        away_until()
        self._start_engine(name)

    def close(self) -> None:
        dispose(self.app)
        for name in (*self.commands, "valkey", "postgres"):
            process = self._processes.get(name)
            if process is None or process.poll() is not None:
                continue
            if name in self.commands:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.send_signal(signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
            process.wait(20)
        self._log.close()

    def printed(self) -> str:
        return (self._folder / "processes.log").read_text(errors="replace")[-4_000:]

    def _start_engine(self, name: str) -> None:
        engine = self._engines[name]
        for attempt in range(1, 60):
            process = self._processes[name] = engine.start()
            wait_until(partial(_is_decided, engine, process), seconds=60, what=name)
            if process.poll() is None:
                break
            assert engine.repair(attempt), (self._folder / name / "server.log").read_text()[-2_000:]
        if name == "postgres":
            wait_until(self._takes_connections, seconds=30, what="a connection to PostgreSQL")

    def _takes_connections(self) -> bool:
        try:
            psycopg.connect(self._engines["postgres"].url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _serving(self, configuration: str, name: str) -> tuple[str, ...]:
        bound = f"127.0.0.1:{self.ports[name]}"
        return (*GUNICORN, "-c", f"python:jiki_core.serving.{configuration}", "--bind", bound, "--workers", "1", APP)

    def _answers(self, name: str) -> bool:
        assert self._processes[name].poll() is None, self.printed()
        try:
            return requests.get(f"http://127.0.0.1:{self.ports[name]}/health-check", timeout=5).ok
        except requests.RequestException:
            return False


def _is_decided(engine: Any, process: subprocess.Popen[bytes]) -> bool:
    return engine.is_ready(process) or process.poll() is not None


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Short enough a path for a server's socket, and open to the account it may run as."""
    return tempfile.TemporaryDirectory(prefix="jiki-live-")
