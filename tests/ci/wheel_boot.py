"""The wheel test: in an empty directory with nothing of the repository, the installed wheels migrate, sign up and work a job.

`python wheel_boot.py VENV`: VENV has the five wheels and what they declare, nothing else (no development extra). The
services come from the development environment that runs this script.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import cast

import orjson

from jiki_core.devserver.ports import free_port
from jiki_core.devserver.services import temporary_services
from jiki_core.testing.mails import MailCatcher

PLUGINS = "auth,learning,payments,i18n"


def main(venv: Path) -> int:
    here = Path(tempfile.mkdtemp(prefix="jiki-wheels-"))
    with temporary_services() as services, MailCatcher() as mail:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "JIKI_ENV": "development",
            "JIKI_PLUGINS_ENABLED": PLUGINS,
            "DATABASE_URL": services.create_database("jiki_wheels"),
            "REDIS_URL": services.redis_url_of(0),
            "JIKI_MAIL_SMTP_URL": mail.url,
            "JIKI_LOG_LEVEL": "WARNING",
        }
        flask = [str(venv / "bin" / "flask"), "--app", "jiki_core"]
        run([*flask, "db", "upgrade"], here, environment)
        listed = run([*flask, "plugins", "list", "--json"], here, environment)
        states = {one["name"]: one["state"] for one in orjson.loads(listed)["plugins"]}
        # the runner is installed beside them and not listed
        assert states == {**dict.fromkeys(PLUGINS.split(","), "running"), "runner": "available"}, states
        run([*flask, "learning", "import", "bundled"], here, environment)
        port = free_port()
        web = [str(venv / "bin" / "gunicorn"), "-k", "gthread", "--threads", "4", "-b", f"127.0.0.1:{port}"]
        processes = [
            subprocess.Popen([*web, "jiki_core:create_app()"], cwd=here, env=environment),
            subprocess.Popen([*flask, "jobs", "scheduler"], cwd=here, env=environment),
            subprocess.Popen([*flask, "jobs", "worker"], cwd=here, env=environment),
        ]
        try:
            origin = f"http://127.0.0.1:{port}"
            wait_until(lambda: get(f"{origin}/health-check").status == 200, "the web process")
            body = {"user": {"email": "wheel@example.test", "password": "maple sundial 41"}}
            assert post(f"{origin}/api/v1/auth/signup", body).status == 201
            wait_until(lambda: bool(mail.messages()), "the confirmation mail, which a job sends")
            assert mail.messages()[0].to == "wheel@example.test"
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=30)
    print("wheels: installed alone, they migrate, sign up and work a job")
    return 0


def run(command: list[str], here: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def get(url: str) -> HTTPResponse:
    return cast(HTTPResponse, urllib.request.urlopen(url, timeout=5))


def post(url: str, body: object) -> HTTPResponse:
    asked = urllib.request.Request(url, orjson.dumps(body), {"Content-Type": "application/json"})
    return cast(HTTPResponse, urllib.request.urlopen(asked, timeout=10))


def wait_until(condition: object, what: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if condition():  # type: ignore[operator]  # a callable
                return
        except OSError:
            pass
        time.sleep(0.1)  # between two looks
    raise AssertionError(f"{what} did not come within a minute")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
