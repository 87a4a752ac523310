"""Fixtures around the plugin `lab`, which tests of jobs, mail, idempotency and faults share."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import JobOptions, OutboxEntry
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient, drain_outbox
from jiki_core.testing.databases import truncate_all
from tests.laboratory import add_lab
from tests.plugin_factory import PluginFolder


@dataclass
class Laboratory:
    """An app with the plugin `lab`, committing for real, and short words for what tests ask of it."""

    app: Flask
    folder: PluginFolder

    @property
    def work(self) -> Any:
        return importlib.import_module("acme_lab.work")

    @property
    def valkey(self) -> Any:
        return runtime_of(self.app).redis

    def ask(self, job: str, options: JobOptions | None = None, **arguments: Any) -> Any:
        """Enqueues a job of the lab; returns its id."""
        with self.app.app_context(), unit_of_work() as uow:
            return uow.enqueue_with(options or JobOptions(), getattr(self.work, job), **arguments)

    def effects(self, key: str) -> int:
        """How often a job took effect."""
        found = self.sql("select count(*) from core.seed_records where key like :key || ':%'", key=key)
        count: int = found[0][0]
        return count

    def entry(self, entry_id: Any) -> OutboxEntry:
        with self.app.app_context():
            return reading().execute(select(OutboxEntry).where(OutboxEntry.id == entry_id)).scalar_one()

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.app.app_context(), unit_of_work() as uow:
            result = uow.session.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    def drain(self, *, including_later: bool = False) -> int:
        return drain_outbox(self.app, including_later=including_later)

    def client(self, user_id: int = 7) -> ApiClient:
        return ApiClient(self.app, {"X-Lab-User": str(user_id)})


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PluginFolder]:
    path = tmp_path_factory.mktemp("lab")
    folder = add_lab(path)
    sys.path.insert(0, str(path))
    importlib.invalidate_caches()
    yield folder
    sys.path.remove(str(path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_lab"]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture(scope="session")
def lab_app(lab_folder: PluginFolder, make_app: Callable[..., Flask]) -> Flask:
    app = make_app((), {"JIKI_PLUGINS_ENABLED": "lab"})
    running = {one.name: one.state for one in app.extensions["jiki.host"].statuses()}
    assert running["lab"] == "running", app.extensions["jiki.host"].statuses()
    return app


@pytest.fixture
def lab(lab_app: Flask, lab_folder: PluginFolder) -> Iterator[Laboratory]:
    """Empty tables and an empty Valkey, before and after."""
    laboratory = Laboratory(lab_app, lab_folder)
    laboratory.valkey.flushdb()
    lab_app.extensions.pop("jiki.closed_queues", None)
    truncate_all(lab_app)
    yield laboratory
    truncate_all(lab_app)
    laboratory.valkey.flushdb()
