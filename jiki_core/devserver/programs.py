"""The programs of a development stack and the environment they run in."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jiki_core.devserver.listening import bindings
from jiki_core.devserver.processes import Program

#: In one process with REST, each open socket holds a thread.
TOGETHER_THREADS = 64

_APP = "jiki_core.devserver.guarded:app"


def development_environment(
    project: Path, data_dir: Path, url: str, smtp_port: int, given: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What every process of the stack gets on top of the servers' addresses; what the user has set stays."""
    ours = {
        "JIKI_ENV": "development",
        "JIKI_DATA_DIR": str(data_dir),
        "JIKI_PUBLIC_URL": url,
        "JIKI_MAIL_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
    }
    defaults = {"JIKI_FRONTEND_URL": "http://localhost:3061", "JIKI_LOG_FORMAT": "console"}
    if (project / "jiki.toml").is_file():
        defaults["JIKI_CONFIG"] = str(project / "jiki.toml")
    return {**{name: given.get(name) or value for name, value in defaults.items()}, **ours}


def flask_program(arguments: Sequence[str], project: Path, environment: Mapping[str, str], name: str) -> Program:
    """A `flask` command as a process called `name` in the logs."""
    return Program(name, (sys.executable, "-m", "flask", *arguments), _flask(environment), project)


def serving_programs(
    project: Path,
    environment: Mapping[str, str],
    web: list[socket.socket],
    cable: list[socket.socket] | None,
) -> list[Program]:
    """The servers, web first; with `cable`, sockets have a server of their own."""
    servers = [_server("web", project, environment, web, threads=None if cable else TOGETHER_THREADS)]
    if cable:
        servers.append(_server("cable", project, environment, cable, threads=None))
    return servers


def working_programs(project: Path, environment: Mapping[str, str]) -> list[Program]:
    """What works in the background."""
    return [
        flask_program(["jobs", "worker"], project, environment, "worker"),
        flask_program(["jobs", "scheduler"], project, environment, "scheduler"),
    ]


def _server(
    name: str,
    project: Path,
    environment: Mapping[str, str],
    listeners: list[socket.socket],
    threads: int | None,
) -> Program:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        f"python:jiki_core.serving.{name}",
        *bindings(listeners),
    ]
    command += ["--graceful-timeout", "2"]  # nobody waits longer for Ctrl-C or a reload
    if threads:
        command += ["--threads", str(threads)]
    descriptors = tuple(listener.fileno() for listener in listeners)
    return Program(name, (*command, _APP), environment, project, descriptors)


def _flask(environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "FLASK_APP": "wsgi:app"}
