"""The gate between a booted process and its database: plugins answer once their tables are as new as their code, and
while no operator has paused them.

Start only reads. A process that cannot reach PostgreSQL starts all the same, answers 503 and asks again each second.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from jiki_core.configuration import CoreSettings, derived_key
from jiki_core.db import db, unit_of_work
from jiki_core.db.migration_sets import MigrationRefused, MigrationSet, core_set, set_of_package, set_status
from jiki_core.observability import counter, get_logger
from jiki_core.plugins.fingerprint import fingerprint, settings_digest
from jiki_core.plugins.host import PluginHost
from jiki_core.plugins.resolve import requirement_names
from jiki_core.plugins.suspending import FAILURES_IN_A_ROW, FailureCounts, suspend
from jiki_core.plugins.watching import ProcessPicture, Snapshot, Watcher
from jiki_core.runtime import SERVING_ROLES, AppRole

log = get_logger(__name__)
RETRY_SECONDS = 1.0

_suspensions = counter("jiki_plugin_suspensions_total", "Jobs and listeners held for failing", ["plugin", "kind"])


class SchemaGate:
    """Answers `PluginStates` for the doors, after the first successful check of schema heads."""

    def __init__(self, app: Flask, host: PluginHost, role: AppRole, settings: CoreSettings) -> None:
        self._app = app
        self._host = host
        self._role = role
        self._lock = threading.Lock()
        self._is_checked = False
        self._is_core_current = False
        self._next_try = 0.0
        self._settings_key = derived_key(settings, "plugin-fingerprint")
        self._failures = FailureCounts()
        self._heads: dict[str, str | None] = {}
        self.watcher = Watcher(
            settings.sqlalchemy_url.replace("postgresql+psycopg://", "postgresql://", 1),
            picture=self.picture,
            on_change=self._apply,
            is_serving=role in SERVING_ROLES,
        )

    def is_ready(self) -> bool:
        """Whether the check has succeeded once; stays true when the database goes away later (trust.md 3.1)."""
        if not self._is_checked:
            self._try_check()
        return self._is_checked and self._is_core_current

    def is_running(self, plugin: str) -> bool:
        if not self.is_ready():
            return False
        self.watcher.ensure()
        return self._host.is_running(plugin)

    def is_paused(self, plugin: str) -> bool:
        self.watcher.ensure()
        return self._host.is_paused(plugin)

    def is_listed(self, plugin: str) -> bool:
        return self._host.is_listed(plugin)

    def is_provider_missing(self, contract: str) -> bool:
        provides = self.watcher.snapshot.provides
        return any(
            contract in contracts and name not in self._host.loaded and self._host.is_listed(name)
            for name, contracts in provides.items()
        )

    def suspension_of(self, name: str) -> str | None:
        if not self.watcher.snapshot.suspensions:
            return None
        return next((why for (_, one), (_, why) in self.watcher.snapshot.suspensions.items() if one == name), None)

    def note_failure(self, plugin: str, kind: str, name: str, error: str) -> None:
        self._host.count_failure(plugin, kind)
        if plugin == "core" or not self._failures.fail(name):
            return
        reason = f"failed {FAILURES_IN_A_ROW} times in a row, the last time with: {error[:500]}"
        log.error("plugin_part_suspended", plugin=plugin, kind=kind, name=name, reason=reason)
        _suspensions.labels(plugin, kind).inc()
        try:
            with unit_of_work() as uow:
                suspend(uow, plugin, kind, name, reason=reason)
            self.watcher.refresh()
        except (SQLAlchemyError, psycopg.Error):
            log.exception("suspension_not_written", name=name)

    def note_success(self, name: str) -> None:
        self._failures.succeed(name)

    def look(self) -> None:
        """Checks tables and reads pauses now, for commands that show states.

        Raises SQLAlchemyError or psycopg.Error when the database cannot be asked.
        """
        self.check()
        self.watcher.refresh()

    def agreement(self) -> dict[str, Any]:
        """This process's fingerprint, and where other living processes differ from it as of the last heartbeat."""
        self.watcher.ensure()
        return {"fingerprint": self.picture().fingerprint, "differences": list(self.watcher.differences)}

    def picture(self) -> ProcessPicture:
        """This process's plugin set, for its heartbeat."""
        plugins = {
            name: {
                "version": self._host.discovered[name].version,
                "state": str(self._host.status(name).state),
                "head": self._heads.get(name),
                "settings": settings_digest(self._settings_key, one.settings),
            }
            for name, one in self._host.loaded.items()
        }
        for status in self._host.statuses():
            if self._host.is_listed(status.name):
                left_out = {"version": status.version, "state": str(status.state), "head": None, "settings": ""}
                plugins.setdefault(status.name, left_out)
        return ProcessPicture(self._role, fingerprint(plugins), plugins)

    def _apply(self, snapshot: Snapshot) -> None:
        self._host.apply_pauses(snapshot.pauses)

    def check(self) -> None:
        """Compares heads now. Raises SQLAlchemyError when the database cannot be asked."""
        with self._app.app_context(), db.engine.connect() as connection:
            core = set_status(connection, core_set())
            behind: dict[str, str] = {}
            sets, broken = readable_sets(plugin_sets(self._host))
            for name, loaded in self._host.loaded.items():
                if name in broken:
                    continue
                if loaded.contributions.models and (name not in sets or sets[name].head is None):
                    behind[name] = f"{name} has models but no migrations; write them with `flask db revision`"
            self._heads = {name: one.head for name, one in sets.items()}
            for one in sets.values():
                status = set_status(connection, one)
                if status.behind:
                    behind[one.name] = (
                        f"the tables of {one.name} lack {status.behind} revision(s): "
                        f"they are at {status.current or 'nothing'}, the code needs {status.head}"
                    )
                elif status.is_ahead:
                    log.warning("schema_ahead", plugin=one.name, revision=status.current)
        self._host.mark_schema(behind, broken)
        self._is_core_current = core.behind == 0
        if not self._is_core_current:
            log.error("core_schema_behind", lacking=core.behind, remedy="run `flask db upgrade`")

    def _try_check(self) -> None:
        with self._lock:
            if self._is_checked or time.monotonic() < self._next_try:
                return
            try:
                self.check()
                if self._is_core_current:
                    self.watcher.refresh()
                    self._is_checked = True  # only now: nobody may pass before the pauses are known
            except (OperationalError, PoolTimeout, psycopg.OperationalError) as error:
                log.warning("database_unreachable_at_boot", error=type(error).__name__)
            except SQLAlchemyError:
                log.exception("schema_check_failed")
            finally:
                self._next_try = time.monotonic() + RETRY_SECONDS


def readable_sets(sets: list[MigrationSet]) -> tuple[dict[str, MigrationSet], dict[str, str]]:
    """Sets by name, and why the history of others cannot be read: it forks, or a file of it is no Python."""
    found: dict[str, MigrationSet] = {}
    broken: dict[str, str] = {}
    for one in sets:
        try:
            one.revisions()
        except (MigrationRefused, SyntaxError, OSError, ValueError) as error:
            broken[one.name] = f"its migrations cannot be read: {type(error).__name__}: {error}"
        else:
            found[one.name] = one
    return found, broken


def plugin_sets(host: PluginHost) -> list[MigrationSet]:
    """The migration sets of the loaded plugins, dependencies first."""
    return [
        found
        for name, one in host.loaded.items()
        if (found := set_of_package(name, one.package, requirement_names(one.plugin.requires))) is not None
    ]
