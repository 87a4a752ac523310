"""The servers a stack runs on: embedded in a data folder, or those that DATABASE_URL and REDIS_URL name."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from jiki_core.devserver import postgres_placement
from jiki_core.devserver.engines import START_SECONDS, STOP_SECONDS, read_json, tail
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.locks import FileLock

Progress = Callable[[str], None]


#: Keepers we started and left to other users; collected when they have ended.
_outlived: list[subprocess.Popen[bytes]] = []


def silently(message: str) -> None:
    """A Progress that says nothing."""


class EmbeddedServer:
    """One user's hold on the keeper of one server in `folder` (`kind`: postgres or valkey)."""

    def __init__(self, kind: str, folder: Path, *, durable: bool) -> None:
        self._kind = kind
        self._folder = folder
        self._durable = durable
        self._users = FileLock(folder / "users.lock")
        self._keeper = FileLock(folder / "keeper.lock")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def is_new(self) -> bool:
        """Whether no server was ever set up here."""
        return not (self._folder / "server.json").exists()

    def join(self) -> None:
        """Become a user, and see to it that there is a keeper. Raises ServiceError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            joined = self._users.wait_shared(STOP_SECONDS * 3)
        except PermissionError as error:
            raise ServiceError(
                f"{error.filename or self._folder} belongs to another user",
                "run as that user, or choose a folder of your own with --data-dir (JIKI_DATA_DIR)",
            ) from None
        if not joined:
            raise ServiceError(
                f"the {self._kind} in {self._folder} has been stopping for a minute", "look at its server.log"
            )
        self._ensure_keeper()

    def wait_ready(self) -> str:
        """The address, once the server answers. Raises ServiceError in the keeper's words when it gave up."""
        deadline = time.monotonic() + START_SECONDS + 10
        while time.monotonic() < deadline:
            # The lock is looked at first: what is written counts only while its writer lives.
            is_kept = not self._keeper.is_free()
            state = read_json(self._folder / "state.json")
            if state.get("status") == "failed":
                self.leave()
                raise ServiceError(str(state["cause"]), str(state["remedy"]))
            if is_kept and state.get("status") == "ready":
                return str(state["url"])
            if not is_kept:
                if self._child is not None and self._child.poll() is not None:
                    self.leave()
                    raise ServiceError(
                        f"the keeper of {self._kind} in {self._folder} ended at once:\n"
                        + tail(self._folder / "keeper.log"),
                        "see the lines above",
                    )
                self._ensure_keeper()
            time.sleep(0.01)
        self.leave()
        raise ServiceError(f"{self._kind} in {self._folder} did not become ready", "look at its server.log")

    def leave(self) -> None:
        """Stop being a user; the last one returns when the server has stopped. Harmless when repeated."""
        if not self._users.is_open:
            return
        if not self._folder.exists():  # deleted under us: the keeper sees that too, and ends
            self._users.release()
            return
        is_last = self._users.try_exclusive()
        if is_last or not self._users.try_shared():  # not shared: somebody else is the last, or the keeper ends
            self._await_end(is_told=not is_last)
        elif self._child is not None:
            _outlived.append(self._child)
            self._child = None
        self._users.release()

    def remove(self) -> None:
        """Delete the server and its data. Raises ServiceError while anybody uses it."""
        if not self._folder.exists():
            return
        try:
            if not self._users.wait_exclusive(2):
                raise ServiceError(
                    f"the {self._kind} in {self._folder} is in use",
                    "stop the stack that runs on it (Ctrl-C in bin/dev)",
                )
            postgres_placement.forget(Path(str(read_json(self._folder / "server.json").get("cluster") or "none")))
            shutil.rmtree(self._folder)
        finally:
            self._users.release()

    def _await_end(self, *, is_told: bool) -> None:
        """Tell the keeper to stop, unless it knows, and wait until it has."""
        deadline = time.monotonic() + STOP_SECONDS * 3
        while not self._keeper.try_exclusive() and time.monotonic() < deadline:
            # While its lock is held, what is written is its own pid, not one from before.
            pid = read_json(self._folder / "state.json").get("keeper_pid")
            if not is_told and isinstance(pid, int):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                is_told = True
            time.sleep(0.01)
        self._keeper.release()
        self._collect_child()

    def _collect_child(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _ensure_keeper(self) -> None:
        if not self._keeper.try_exclusive():
            return
        self._collect_child()  # it held the lock, so it has ended
        _outlived[:] = [keeper for keeper in _outlived if keeper.poll() is None]
        # The lock goes to the child with the descriptor, so there is no moment without a holder.
        try:
            (self._folder / "state.json").unlink(missing_ok=True)
            with (self._folder / "keeper.log").open("wb") as log:
                self._child = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "jiki_core.devserver.keeper",
                        self._kind,
                        str(self._folder.resolve()),
                        "durable" if self._durable else "throwaway",
                        str(self._keeper.fileno()),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(self._keeper.fileno(),),
                    start_new_session=True,  # Ctrl-C is for its users
                )
        finally:
            self._keeper.release()


class EmbeddedServices:
    """PostgreSQL and Valkey of our own with all state in `data_dir`, shared by all processes that name it.

        with EmbeddedServices(data_dir) as services:
            services.database_url, services.redis_url

    They run from the first user's start to the last user's stop, also when a user is killed.
    `durable=False` is for throw-away data: quicker, and lost in a power cut.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        durable: bool = True,
        postgres: bool = True,
        valkey: bool = True,
        progress: Progress = silently,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.database_url = ""
        self.redis_url = ""
        self._postgres = EmbeddedServer("postgres", self.data_dir / "postgres", durable=durable) if postgres else None
        self._valkey = EmbeddedServer("valkey", self.data_dir / "valkey", durable=durable) if valkey else None
        self._progress = progress

    @property
    def is_new(self) -> bool:
        """Whether the PostgreSQL here was never set up."""
        return self._postgres is not None and self._postgres.is_new

    def start(self) -> Self:
        """Start or join them; returns when both answer. Raises ServiceError."""
        try:
            if self._postgres is not None:
                is_new = self._postgres.is_new
                self._progress("making a PostgreSQL database cluster" if is_new else "starting PostgreSQL")
            for server in self._servers():
                server.join()
            if self._postgres is not None:
                self.database_url = self._postgres.wait_ready()
            if self._valkey is not None:
                self.redis_url = self._valkey.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Leave them; whoever is last returns when nothing runs any more."""
        for server in self._servers():
            server.leave()

    def remove(self) -> None:
        """Delete all their data. Raises ServiceError while anybody uses them."""
        for server in self._servers():
            server.remove()

    def database_url_of(self, name: str) -> str:
        """The address of the database `name` on this server."""
        return urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))

    def redis_url_of(self, number: int) -> str:
        """The address of logical database `number` (0 to 63) on this server."""
        return urlunsplit(urlsplit(self.redis_url)._replace(path=f"/{number}"))

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make the database `name`, a copy of `template` (to which nobody may be connected); its address."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.database_url_of("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template or "template1")
                )
            )
        return self.database_url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove the database `name` if it exists, ending the sessions in it."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.database_url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _servers(self) -> list[EmbeddedServer]:
        return [server for server in (self._postgres, self._valkey) if server is not None]


class Services:
    """What a stack runs on: DATABASE_URL and REDIS_URL of `environment`, each embedded if not given."""

    def __init__(
        self,
        data_dir: Path | str,
        environment: Mapping[str, str] | None = None,
        progress: Progress = silently,
    ) -> None:
        given = os.environ if environment is None else environment
        self._given_database_url = given.get("DATABASE_URL", "")
        self._given_redis_url = given.get("REDIS_URL", "")
        self.embedded = EmbeddedServices(
            data_dir,
            postgres=not self._given_database_url,
            valkey=not self._given_redis_url,
            progress=progress,
        )

    @property
    def database_url(self) -> str:
        """The database's address; empty before `start` if it is embedded."""
        return self._given_database_url or self.embedded.database_url

    @property
    def redis_url(self) -> str:
        """Valkey's address; empty before `start` if it is embedded."""
        return self._given_redis_url or self.embedded.redis_url

    def start(self) -> Self:
        """Start or join what is embedded. Raises ServiceError."""
        self.embedded.start()
        return self

    def stop(self) -> None:
        """Leave what is embedded."""
        self.embedded.stop()

    @property
    def is_new(self) -> bool:
        """Whether the database is embedded and does not exist yet."""
        return self.embedded.is_new

    def given(self) -> dict[str, str]:
        """The part of `environment` that was given to us, embedded servers left out."""
        given = {"DATABASE_URL": self._given_database_url, "REDIS_URL": self._given_redis_url}
        return {name: url for name, url in given.items() if url}

    def environment(self) -> dict[str, str]:
        """The two variables by which every process of a stack finds them."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def temporary_services() -> Iterator[EmbeddedServices]:
    """Quick throw-away servers in a folder of their own; nothing of them is left afterwards."""
    data_dir = Path(tempfile.mkdtemp(prefix="jiki-services-"))
    services = EmbeddedServices(data_dir, durable=False)
    try:
        with services:
            yield services
    finally:
        services.remove()
        shutil.rmtree(data_dir, ignore_errors=True)
