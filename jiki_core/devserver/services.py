"""The servers a stack runs on: embedded in a data folder, or those that DATABASE_URL and REDIS_URL name."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from jiki_core.devserver.embedded_server import EmbeddedServer

Progress = Callable[[str], None]


def silently(message: str) -> None:
    """A Progress that says nothing."""


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
