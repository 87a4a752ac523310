"""Fixtures for tests of the core and of plugins: one app with the installed first-party plugins, isolated per test.

`db` holds a test in an outer transaction; `committed_db` really commits and empties all tables afterwards, for what
crosses connections, threads or processes. Services are started by the tests, on free ports, and stopped after them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from jiki_core.testing.coverage import reached, start_recording

#: operations that no test of the whole suite reached
_UNTRIED = pytest.StashKey[list[str]]()
_DIRECTORY_VARIABLE = "JIKI_TEST_DIRECTORY"
#: plugins of the default app
DEFAULT_PLUGINS = ("auth", "learning", "payments", "i18n")
#: every app of this process that is still referred to
_apps: weakref.WeakSet[Flask] = weakref.WeakSet()


def scale() -> float:
    """Multiplier of counts in heavy tests: JIKI_TEST_SCALE, 1 at `bin/test --full`."""
    return float(os.environ.get("JIKI_TEST_SCALE", "0.1"))


def scaled(count: int, *, least: int = 1) -> int:
    """A count times the scale, at least `least`."""
    return max(least, int(count * scale()))


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the workers makes the folder that they share."""
    config.addinivalue_line("markers", "network: may reach other machines, which no other test may")
    if hasattr(config, "workerinput"):
        return
    directory = Path(tempfile.mkdtemp(prefix="jiki-tests-"))
    os.environ[_DIRECTORY_VARIABLE] = str(directory)
    start_recording(directory / "routes.txt")


def pytest_unconfigure(config: pytest.Config) -> None:
    directory = os.environ.get(_DIRECTORY_VARIABLE)
    if hasattr(config, "workerinput") or directory is None:
        return
    from jiki_core.devserver.services import EmbeddedServices

    services = EmbeddedServices(Path(directory) / "services", durable=False)
    with contextlib.suppress(Exception):  # nothing was started, or a worker that was killed still holds it
        services.remove()
    shutil.rmtree(directory, ignore_errors=True)
    os.environ.pop(_DIRECTORY_VARIABLE, None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With JIKI_CHECK_ROUTES=1 (bin/test over the whole suite), a route that no test reached fails the run."""
    if os.environ.get("JIKI_CHECK_ROUTES") != "1" or hasattr(session.config, "workerinput"):
        return
    session.config.stash[_UNTRIED] = sorted(_all_operations() - reached())
    if session.config.stash[_UNTRIED] and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Names the routes that no test reached."""
    if untried := config.stash.get(_UNTRIED, []):
        terminalreporter.section("routes that no test reached with success, which fails the run")
        for operation in untried:
            terminalreporter.write_line(operation)


def _all_operations() -> set[str]:
    app = _make_app("postgresql://", "redis://127.0.0.1:1/0", DEFAULT_PLUGINS, {})
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.fixture(scope="session")
def services() -> Iterator[Any]:
    """Real PostgreSQL and Valkey, shared by all workers of this run."""
    from jiki_core.devserver.services import EmbeddedServices

    with EmbeddedServices(Path(os.environ[_DIRECTORY_VARIABLE]) / "services", durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def mail_catcher() -> Iterator[Any]:
    """A real SMTP server; `mails` reads what it got."""
    from jiki_core.testing.mails import MailCatcher

    with MailCatcher() as catcher:
        yield catcher


@pytest.fixture(scope="session")
def object_storage() -> Iterator[Mapping[str, str]]:
    """Settings of an app whose files are in a real S3 over HTTP: `make_app((…,), {**object_storage})`."""
    from jiki_core.testing.object_storage import object_storage_settings

    with object_storage_settings() as settings:
        yield settings


@pytest.fixture(scope="session")
def make_app(services: Any, mail_catcher: Any) -> Iterator[Callable[..., Flask]]:
    """Builds apps: `make_app(plugins=(...), settings={"JIKI_…": "…"})`, each on its worker's database for those plugins."""
    from jiki_core.testing.databases import cloned_database, dispose, worker_number

    urls: dict[tuple[str, ...], str] = {}
    made: list[Flask] = []

    def make(plugins: tuple[str, ...] = DEFAULT_PLUGINS, settings: dict[str, str] | None = None) -> Flask:
        environment = {"JIKI_MAIL_SMTP_URL": mail_catcher.url, **(settings or {})}
        redis_url = services.redis_url_of(worker_number())
        if plugins not in urls:
            urls[plugins] = cloned_database(
                services, plugins, lambda url: _make_app(url, redis_url, plugins, environment)
            )
        app = _make_app(urls[plugins], redis_url, plugins, environment)
        made.append(app)
        return app

    yield make
    for app in made:
        dispose(app)


@pytest.fixture(autouse=True)
def _no_other_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that needs another machine fails where there is none; `@pytest.mark.network` says that it means to."""
    from jiki_core.testing.network_guard import network_refused

    with contextlib.nullcontext() if request.node.get_closest_marker("network") else network_refused():
        yield


@pytest.fixture(autouse=True)
def _no_watcher_outlives_its_test() -> Iterator[None]:
    """Ends the threads that apps started and signs their processes off; an app that is shared starts anew when asked."""
    yield
    for app in list(_apps):
        app.extensions["jiki.gate"].watcher.stop()


@pytest.fixture(scope="session")
def app(make_app: Callable[..., Flask]) -> Flask:
    """The app with all first-party plugins, one per worker."""
    return make_app()


@pytest.fixture
def app_with(make_app: Callable[..., Flask], services: Any) -> Iterator[Callable[..., Flask]]:
    """An app of this test's own: `app_with("auth", "learning", answers={Entitlements: Fake()}, settings={"JIKI_…": "…"})`.

    What these plugins require comes with them. `answers` replace what plugins answer to contracts, so that a test can stand
    in for a plugin that is not there.
    """
    from jiki_core.contracts.binding import BoundProvider
    from jiki_core.plugins.discovery import with_requirements
    from jiki_core.testing.databases import dispose, empty_valkey, truncate_all

    empty_valkey(services)
    made: list[Flask] = []

    def build(*plugins: str, answers: Mapping[Any, Any] | None = None, settings: dict[str, str] | None = None) -> Flask:
        app = make_app(with_requirements(plugins), settings)
        providers = app.extensions["jiki.assembly"].providers
        providers.update({contract: (BoundProvider("core", answer),) for contract, answer in (answers or {}).items()})
        made.append(app)
        return app

    yield build
    for app in made:
        app.extensions["jiki.gate"].watcher.stop()  # it must not write while the tables are emptied
        truncate_all(app)
        dispose(app)


@pytest.fixture
def db(app: Flask) -> Iterator[Flask]:
    """Everything the test writes through `app` lies in one outer transaction that is rolled back."""
    from jiki_core.db import db as database

    _forget_everything(app)
    with app.app_context():
        engine = database.engine
    connection = engine.connect()
    transaction = connection.begin()
    app.extensions["jiki.pinned_connection"] = connection
    try:
        yield app
    finally:
        app.extensions.pop("jiki.pinned_connection", None)
        transaction.rollback()
        connection.close()


@pytest.fixture
def committed_db(app: Flask) -> Iterator[Flask]:
    """The test commits for real; all tables are emptied afterwards."""
    from jiki_core.testing.databases import row_counts, truncate_all

    _forget_everything(app)
    left_behind = row_counts(app)
    assert not left_behind, f"an earlier test left rows: {left_behind}"
    try:
        yield app
    finally:
        truncate_all(app)


@pytest.fixture
def client(db: Flask) -> Any:
    """A client within the test's transaction; every answer is checked against the OpenAPI document."""
    from jiki_core.testing.client import ApiClient

    return ApiClient(db)


@pytest.fixture
def mails(app: Flask, mail_catcher: Any) -> Any:
    """What was mailed in this test: `mails()` drains the outbox of `app` and returns the messages, newest first."""
    from jiki_core.testing.outbox import drain_outbox

    mail_catcher.clear()

    def read() -> Any:
        drain_outbox(app)
        return mail_catcher.messages()

    return read


@pytest.fixture
def outbox(app: Flask) -> Callable[..., Any]:
    """What was asked for in this test: `outbox()`, or `outbox("badges.congratulate")`; rows with kind, name and payload."""
    from jiki_core.testing.outbox import asked_for

    return lambda name=None: asked_for(app, name)


@pytest.fixture
def clock() -> Iterator[Any]:
    """Time stands still in this test until it says `clock.move(hours=2)` or `clock.move_to(moment)`."""
    from jiki_core.testing.clock import stopped_clock

    with stopped_clock() as stopped:
        yield stopped


def _forget_everything(app: Flask) -> None:
    from jiki_core.runtime import runtime_of

    runtime_of(app).redis.flushdb()
    watcher = app.extensions["jiki.gate"].watcher
    if watcher.snapshot.pauses or watcher.snapshot.suspensions:
        watcher.refresh()  # what an earlier test paused is gone from the database, also for who asks without a thread


def _make_app(database_url: str, redis_url: str, plugins: tuple[str, ...], settings: dict[str, str]) -> Flask:
    from jiki_core.app import create_app
    from jiki_core.settings import Sources

    environment = {
        "JIKI_ENV": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "JIKI_LOG_LEVEL": "ERROR",
        "JIKI_STORAGE_DIR": str(Path(os.environ[_DIRECTORY_VARIABLE]) / "files"),
        "JIKI_PLUGINS_ENABLED": ",".join(plugins),
        "JIKI_AUTH_ARGON2_MEMORY_KIB": "8",
        "JIKI_AUTH_ARGON2_ITERATIONS": "1",
        **settings,
    }
    app = create_app("web", sources=Sources({}, environment))
    _apps.add(app)
    return app
