"""Health checks: what a plugin needs from outside and may lack for a while. Operators see them; they switch nothing off.

Each call runs in a thread of its own and is waited for no longer than it may take, so that one that hangs or raises hurts
nobody: it counts as not well, and is not called again before it has returned.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask

from jiki_core.observability import gauge, get_logger
from jiki_core.observability.costs import charged

if TYPE_CHECKING:  # the host collects checks, so it cannot be imported from here
    from jiki_core.plugins.host import PluginHost

log = get_logger(__name__)
#: an outcome is told again for so long: however often somebody asks, what is checked is left in peace
FRESH_SECONDS = 5.0
LONGEST_TIMEOUT_SECONDS = 30.0
_NAME = re.compile(r"[a-z][a-z0-9_]*")

_failing = gauge("jiki_plugin_health_failing", "Processes in which a check found trouble last", ["plugin", "check"])


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`func()` returns None when all is well, else a sentence on what is not; raising says the same.

    It runs in an app context, outside any unit of work. A critical one makes `/health/ready?strict` and `flask plugins
    status --strict` fail; none takes a process out of service, for one plugin's trouble must not end the others' work.
    """

    func: Callable[[], str | None]
    #: how operators know it; the function's name by default
    name: str | None = None
    is_critical: bool = False
    timeout_seconds: float = 2.0

    @property
    def known_as(self) -> str:
        return self.name or self.func.__name__

    def mistakes(self) -> list[str]:
        if not callable(self.func):
            return [f"a health check has a {type(self.func).__name__} for its func; give it a function"]
        name = self.name or str(getattr(self.func, "__name__", ""))
        found = []
        if not _NAME.fullmatch(name):
            found.append(f"the health check {name!r} needs a name in small letters; say name=…")
        if not 0 < self.timeout_seconds <= LONGEST_TIMEOUT_SECONDS:
            found.append(
                f"the health check {name} has timeout_seconds = {self.timeout_seconds}; at most 30 are waited for"
            )
        return found


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found."""

    plugin: str
    check: str
    is_critical: bool
    #: what is not well; empty when all is
    trouble: str
    seconds: float

    @property
    def is_well(self) -> bool:
        return not self.trouble

    def sentence(self) -> str:
        """One line for terminals."""
        if self.is_well:
            return f"{self.plugin} {self.check}: well ({self.seconds * 1000:.0f} ms)"
        return f"{self.plugin} {self.check}: {'CRITICAL: ' if self.is_critical else ''}{self.trouble}"

    def as_json(self) -> dict[str, Any]:
        return {
            "plugin": self.plugin,
            "check": self.check,
            "critical": self.is_critical,
            "well": self.is_well,
            "trouble": self.trouble,
            "milliseconds": round(self.seconds * 1000, 1),
        }


class HealthBoard:
    """One per app. Its threads begin with the first question, after any fork."""

    def __init__(self, app: Flask, host: PluginHost) -> None:
        self._app = app
        self._host = host
        self._lock = threading.Lock()
        self._runs: dict[tuple[str, str], _Run] = {}

    def look(self) -> list[Health]:
        """Every check of every plugin that is in order, dependencies first; all at once, none waited for too long."""
        with self._lock:
            runs = [self._run_of(plugin, check) for plugin, check in self._checks()]
        found = [run.outcome() for run in runs]
        for health in found:
            _failing.labels(health.plugin, health.check).set(not health.is_well)
        return found

    def _checks(self) -> Iterator[tuple[str, HealthCheck]]:
        for name, loaded in self._host.loaded.items():
            if self._host.is_up(name):
                yield from ((name, check) for check in loaded.contributions.health)

    def _run_of(self, plugin: str, check: HealthCheck) -> _Run:
        """The call that is under way or has just ended, else a new one."""
        known = self._runs.get((plugin, check.known_as))
        if known is not None and known.is_fresh():
            return known
        run = self._runs[plugin, check.known_as] = _Run(self._app, self._host, plugin, check)
        return run


class _Run:
    """One call of a check."""

    def __init__(self, app: Flask, host: PluginHost, plugin: str, check: HealthCheck) -> None:
        self._app, self._host, self._plugin, self._check = app, host, plugin, check
        self._started = time.monotonic()
        self._ended: float | None = None
        self._trouble = ""
        self._is_late = False
        self._done = threading.Event()
        threading.Thread(target=self._call, name=f"jiki-health-{plugin}-{check.known_as}", daemon=True).start()

    def is_fresh(self) -> bool:
        return self._ended is None or time.monotonic() - self._ended < FRESH_SECONDS

    def outcome(self) -> Health:
        """Waits for the end of the call or of its time."""
        check = self._check
        self._done.wait(max(0.0, self._started + check.timeout_seconds - time.monotonic()))
        if self._ended is None:
            if not self._is_late:
                self._is_late = True
                self._host.count_failure(self._plugin, "jiki_health")
                log.warning("health_check_late", plugin=self._plugin, check=check.known_as)
            trouble, seconds = f"no answer within {check.timeout_seconds:g} s", time.monotonic() - self._started
        else:
            trouble, seconds = self._trouble, self._ended - self._started
        return Health(self._plugin, check.known_as, check.is_critical, trouble, seconds)

    def _call(self) -> None:
        try:
            with self._app.app_context(), charged(self._plugin, "jiki_health"):
                found: object = self._check.func()
            if found is not None and not isinstance(found, str):
                found = f"it returned a {type(found).__name__}; a health check returns None or a sentence"
            self._trouble = found or ""
        except Exception as error:
            self._host.count_failure(self._plugin, "jiki_health")
            log.warning("health_check_failed", plugin=self._plugin, check=self._check.known_as, error=repr(error))
            self._trouble = f"{type(error).__name__}: {error}"
        finally:
            self._ended = time.monotonic()
            self._done.set()
