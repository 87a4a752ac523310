"""`bin/flask`: any flask command on the stack that runs on the data folder, or on servers started for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from jiki_core.devserver.data_dir import DataDir
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.preparation import forget_preparation
from jiki_core.devserver.services import Services

#: Commands that answer with the servers down, and for which none are started.
OFFLINE = frozenset(
    {
        ("plugins", "list"),
        ("plugins", "show"),
        ("plugins", "why"),
        ("plugins", "new"),
        ("config", "show"),
        ("routes",),
    }
)


def needs_services(arguments: list[str]) -> bool:
    """Whether a command has to reach the servers."""
    if not arguments or {"--help", "--version"} & set(arguments):
        return False
    words = [argument for argument in arguments if not argument.startswith("-")]
    return tuple(words[:2]) not in OFFLINE and tuple(words[:1]) not in OFFLINE


def main(arguments: list[str]) -> int:
    """Run the command in this process; its exit status."""
    data_dir = DataDir(Path(os.environ.get("JIKI_DATA_DIR") or ".jiki"))
    os.environ["JIKI_DATA_DIR"] = str(data_dir.path)
    os.environ.setdefault("FLASK_APP", "wsgi:app")
    stack = data_dir.running_stack()
    if stack is not None:
        for name, value in stack.environment.items():
            os.environ.setdefault(name, value)
    if stack is None and not needs_services(arguments):
        return _run_flask(arguments)
    if "db" in arguments:
        forget_preparation(data_dir.path)
    services = Services(data_dir.path, progress=_say if stack is None else lambda message: None)
    is_new = services.is_new
    with services:
        os.environ.update(services.environment())
        if is_new and "db" not in arguments:
            _say("migrating the new database")
            upgraded = subprocess.run([sys.executable, "-m", "flask", "db", "upgrade"], stdout=sys.stderr, check=False)
            if upgraded.returncode:
                return upgraded.returncode
        return _run_flask(arguments)


def _run_flask(arguments: list[str]) -> int:
    from flask.cli import cli

    try:
        cli.main(args=arguments, prog_name="bin/flask")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    return 0


def _say(message: str) -> None:
    print(f"jiki: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ServiceError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
