"""The host: takes plugins from their entry points to running, phase by phase; the only file that touches pluggy's manager.

discover -> select -> manifest -> resolve -> validate -> configure -> register -> (mount and bind, by app.py) -> check.
A plugin that fails a phase gets a state, a cause and a remedy; its dependents are blocked; the rest goes on.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import click
import pluggy
from flask import Flask, Request

from jiki_core.configuration import Configuration
from jiki_core.db.commits import is_connection_lost
from jiki_core.errors import DomainError, InternalError
from jiki_core.observability import counter, gauge, get_logger
from jiki_core.observability.costs import Costs, HookCost, cost_of, current_costs
from jiki_core.plugins.contributions import Contributions, Made, collect, make
from jiki_core.plugins.discovery import Discovered, discover
from jiki_core.plugins.faults import hook_failed, import_failed, invalid, last_place
from jiki_core.plugins.hookspecs import CONTRIBUTION_HOOKS, PROJECT, HookSpecs
from jiki_core.plugins.lifecycle import PluginChange
from jiki_core.plugins.manifest import Plugin, manifest_mistakes
from jiki_core.plugins.pausing import Paused, dependents_of, effective_pauses
from jiki_core.plugins.personal_data import personal_data_mistakes, subjects_of
from jiki_core.plugins.resolve import Candidate, blocked_by, requirement_names, resolve
from jiki_core.plugins.state import PluginState, PluginStatus, Problem
from jiki_core.plugins.validation import clashes, hook_mistakes, model_mistakes
from jiki_core.security import Identity
from jiki_core.settings import Loaded, Mistake, load_section, nearest
from jiki_core.version import __version__

log = get_logger(__name__)

_boot_seconds = gauge("jiki_plugin_boot_seconds", "Time a plugin took to load, summed over processes", ["plugin"])
_failures = counter(
    "jiki_plugin_failures_total",
    "Calls of a plugin's hooks, jobs, listeners and channels that failed",
    ["plugin", "hook"],
)


@dataclass(frozen=True)
class LoadedPlugin:
    """A plugin that passed validation: its instance, what it contributes, and what of that was made already."""

    plugin: Plugin
    package: str
    settings: Any
    contributions: Contributions
    made: Made


class PluginHost:
    """One per app. `load` first; then `loaded`, `status` and the hook calls."""

    def __init__(self, configuration: Configuration, core: Contributions) -> None:
        self._configuration = configuration
        self._core = core
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(HookSpecs)
        self.discovered: dict[str, Discovered] = {}
        #: running plugins, dependencies first
        self.loaded: dict[str, LoadedPlugin] = {}
        #: manifests that could be read, of listed plugins
        self.manifests: dict[str, Plugin] = {}
        self._statuses: dict[str, PluginStatus] = {}
        #: plugins that were taken in and turned out not to work here, until the process ends
        self._refused: set[str] = set()
        self._paused: Mapping[str, Paused] = {}
        #: how often a plugin's state has changed, and the hooks of requests as they were made ready at one of these
        self._changes = 0
        self._ready: dict[str, tuple[int, tuple[tuple[str, Callable[..., Any], HookCost], ...]]] = {}
        #: names in the configuration that mean nothing
        self.unknown: list[Mistake] = []
        self.sections: list[Loaded] = []

    # -- phases -----------------------------------------------------------------------------------------------------

    def load(self, app: Flask) -> None:
        """Runs every phase up to registration. Never raises for a plugin's fault."""
        self.discovered = discover()
        selected = self._select()
        manifests = self.manifests = self._read_manifests(selected)
        resolution = resolve(
            [_candidate(self.discovered[name], plugin) for name, plugin in manifests.items()],
            core_version=__version__,
            installed={name: one.version for name, one in self.discovered.items()},
            failed=[name for name in selected if name not in manifests],
        )
        for name, problem in resolution.problems.items():
            self._fail(name, problem)
        for name in resolution.order:
            started = time.perf_counter()
            self._admit(app, name, manifests[name])
            _boot_seconds.labels(name).set(time.perf_counter() - started)
        for name in reversed(self.loaded):
            self._manager.register(self.loaded[name].plugin, name)
        for name in self.loaded:
            self._put(name, PluginState.RUNNING)

    def _select(self) -> list[str]:
        selection = self._configuration.selection
        for setting, listed in (("enabled", selection.enabled), ("required", selection.required)):
            self.unknown += [
                Mistake(
                    f"[plugins] {setting}",
                    f"names {name}, which is not installed{nearest(name, self.discovered)}",
                    ", ".join(self.discovered) or "no plugin is installed",
                )
                for name in dict.fromkeys(listed)
                if name not in self.discovered
            ]
        names = [name for name in dict.fromkeys(selection.enabled) if name in self.discovered]
        for name in self.discovered:
            self._put(name, PluginState.AVAILABLE)
        if self._configuration.core.safe_mode:
            kept = self._with_requirements(selection.required)
            for name in names:
                if name not in kept:
                    self._fail(
                        name,
                        Problem(
                            PluginState.DISABLED,
                            "safe mode loads required plugins only",
                            "unset JIKI_SAFE_MODE",
                        ),
                    )
            names = [name for name in names if name in kept]
        return names

    def _with_requirements(self, names: tuple[str, ...]) -> set[str]:
        """The names and, transitively, what their distributions' manifests require."""
        kept: set[str] = set()
        pending = [name for name in names if name in self.discovered]
        while pending:
            name = pending.pop()
            if name in kept:
                continue
            kept.add(name)
            manifest = self._read_manifests([name]).get(name)
            pending += requirement_names(manifest.requires) if manifest else []
        return kept

    def _read_manifests(self, names: list[str]) -> dict[str, Plugin]:
        read: dict[str, Plugin] = {}
        for name in names:
            found = self.discovered[name]
            try:
                plugin = found.entry_point.load()
            except BaseException as error:  # a plugin may raise anything at import, SystemExit included
                if isinstance(error, KeyboardInterrupt):
                    raise
                self._fail(name, import_failed(found.entry_point.value, name, found.distribution, error))
                continue
            mistakes = manifest_mistakes(plugin, name)
            if mistakes:
                self._fail(name, invalid(mistakes, found.distribution))
            else:
                read[name] = plugin
        return read

    def _admit(self, app: Flask, name: str, plugin: Plugin) -> None:
        """Takes one plugin in whose requirements are met on paper. Never raises: a plugin may hold anything."""
        try:
            self._take_in(app, name, plugin)
        except Exception as error:
            log.exception("plugin_check_failed", plugin=name)
            told = f"checking it raised {type(error).__name__}: {error}{last_place(error)}"
            self._fail(name, invalid([told], self.discovered[name].distribution))

    def _take_in(self, app: Flask, name: str, plugin: Plugin) -> None:
        """settings -> validate -> configure."""
        found = self.discovered[name]
        candidate = _candidate(found, plugin)
        for needed in requirement_names(candidate.requires):
            if needed not in self.loaded:
                self._fail(name, blocked_by(name, needed))
                return
        settings = None
        if plugin.Settings is not None:
            section = load_section(plugin.Settings, name, self._configuration.sources)
            self.sections.append(section)
            if section.mistakes:
                self._fail(
                    name,
                    Problem(
                        PluginState.MISCONFIGURED,
                        "; ".join(str(mistake) for mistake in section.mistakes),
                        f"correct [{name}] in jiki.toml or the environment; see `flask config show`",
                    ),
                )
                return
            settings = section.instance
        contributions, mistakes = self._validated(name, plugin, candidate)
        if mistakes:
            self._fail(name, invalid(mistakes, found.distribution))
            return
        configure = getattr(plugin, "jiki_configure", None)
        if configure is not None:
            try:
                _with_what_it_takes(configure, app=app, settings=settings)
            except Exception as error:
                log.exception("plugin_configure_failed", plugin=name)
                self._fail(name, hook_failed("jiki_configure", name, found.distribution, error))
                return
        made, mistakes = make(name, found.package, contributions)
        if mistakes:
            self._fail(name, invalid(mistakes, found.distribution))
            return
        self.loaded[name] = LoadedPlugin(plugin, found.package, settings, contributions, made)

    def _validated(self, name: str, plugin: Plugin, candidate: Candidate) -> tuple[Contributions, list[str]]:
        mistakes = list(hook_mistakes(plugin))
        if mistakes:
            return Contributions(), mistakes
        calls: dict[str, Callable[[], Any]] = {
            hook: getattr(plugin, hook) for hook in CONTRIBUTION_HOOKS if hasattr(plugin, hook)
        }
        collected = collect(name, calls)
        if collected.mistakes:
            return Contributions(), collected.mistakes
        contributions = collected.contributions()
        before = {"core": self._core, **{owner: one.contributions for owner, one in self.loaded.items()}}
        mistakes += model_mistakes(name, contributions.models, frozenset(requirement_names(candidate.requires)))
        mistakes += personal_data_mistakes(
            name, contributions.models, contributions.personal_data, self._subjects_before()
        )
        mistakes += clashes(name, contributions, before)
        return contributions, mistakes

    def tell_ready(self, app: Flask) -> None:
        """Everything is mounted and bound: `jiki_ready` of each plugin; one that raises is refused, with its dependents."""
        for name, loaded in self.loaded.items():
            ready = getattr(loaded.plugin, "jiki_ready", None)
            if ready is None or not self.is_up(name):
                continue
            try:
                with app.app_context():
                    _with_what_it_takes(ready, app=app)
            except Exception as error:
                log.exception("plugin_not_ready", plugin=name)
                self.count_failure(name, "jiki_ready")
                self.refuse(name, hook_failed("jiki_ready", name, self.discovered[name].distribution, error))

    def refuse_mount(self, name: str, blueprint: str, error: Exception) -> None:
        """A blueprint of the plugin that Flask would not register."""
        told = f"its blueprint {blueprint} cannot be mounted: {type(error).__name__}: {error}"
        self.refuse(name, invalid([told], self.discovered[name].distribution))

    def refuse(self, name: str, problem: Problem) -> None:
        """Closes the doors of a plugin that was taken in, and of its dependents: they answer 503, jobs are held."""
        self._refused.add(name)
        self._fail(name, problem)
        requires = self.requirements()
        for one in dependents_of(name, requires):
            self._fail(one, blocked_by(one, next(need for need in requires[one] if not self.is_up(need))))

    def _subjects_before(self) -> frozenset[str]:
        """Tables of users, of the plugins admitted so far."""
        named = [subjects_of(name, one.contributions.personal_data) for name, one in self.loaded.items()]
        return frozenset().union(*named)

    # -- states -----------------------------------------------------------------------------------------------------

    def statuses(self) -> list[PluginStatus]:
        """Every installed plugin, by name."""
        return [self.status(name) for name in sorted(self._statuses)]

    def status(self, name: str) -> PluginStatus:
        """One installed plugin, pauses included. Raises KeyError for a name that is not installed."""
        status = self._statuses[name]
        paused = self._paused.get(name)
        if paused is None or status.state is not PluginState.RUNNING:
            return status
        return replace(
            status,
            state=PluginState.PAUSED,
            cause=paused.reason if paused.by == name else f"it requires {paused.by}, which is paused: {paused.reason}",
            remedy=f"run `flask plugins resume {paused.by}`",
        )

    def is_running(self, plugin: str) -> bool:
        return self.is_up(plugin) and plugin not in self._paused

    def is_paused(self, plugin: str) -> bool:
        return plugin in self._paused

    def apply_pauses(self, pauses: Mapping[str, str]) -> None:
        """`pauses`: plugin -> reason of the operator. Dependents of a paused plugin pause with it."""
        self._paused = effective_pauses(pauses, self.requirements())

    def requirements(self) -> dict[str, list[str]]:
        """Loaded plugin -> names it requires, dependencies first."""
        return {name: requirement_names(one.plugin.requires) for name, one in self.loaded.items()}

    def is_listed(self, plugin: str) -> bool:
        return plugin == "core" or plugin in self._configuration.selection.enabled

    def mark_schema(self, behind: Mapping[str, str], broken: Mapping[str, str] | None = None) -> None:
        """After the schema check: plugins whose tables are behind, or whose history cannot be read, stop answering, and
        their dependents too; others may return."""
        for name, cause in (broken or {}).items():
            self.refuse(name, invalid([cause], self.discovered[name].distribution))
        for name in self.loaded:
            if name in self._refused:
                continue
            needed = requirement_names(self.loaded[name].plugin.requires)
            blocker = next((one for one in needed if not self.is_up(one)), None)
            # what an upgrade mends is told first, unless something stands in its way that no upgrade mends
            if name in behind and (blocker is None or self._state(blocker) is PluginState.SCHEMA_BEHIND):
                self._fail(
                    name,
                    Problem(PluginState.SCHEMA_BEHIND, behind[name], "run `flask db upgrade`, then restart"),
                )
            elif blocker is not None:
                self._fail(name, blocked_by(name, blocker))
            elif self._state(name) in (PluginState.SCHEMA_BEHIND, PluginState.BLOCKED):
                self._put(name, PluginState.RUNNING)

    def missing_required(self) -> list[PluginStatus]:
        """Required plugins that do not run."""
        return [
            self._statuses[name]
            for name in self._configuration.selection.required
            if name in self._statuses and not self.is_up(name)
        ]

    def is_up(self, plugin: str) -> bool:
        """Loaded and in order; a pause leaves that as it is."""
        return plugin == "core" or self._state(plugin) is PluginState.RUNNING

    def _state(self, plugin: str) -> PluginState | None:
        status = self._statuses.get(plugin)
        return status.state if status else None

    def _put(self, name: str, state: PluginState) -> None:
        cause, remedy = "", ""
        if state is PluginState.AVAILABLE:
            cause, remedy = "it is installed but not listed", f"add {name} to [plugins] enabled in jiki.toml"
        self._fail(name, Problem(state, cause, remedy))

    def _fail(self, name: str, problem: Problem) -> None:
        found, manifest = self.discovered[name], self.manifests.get(name)
        self._statuses[name] = PluginStatus(
            name,
            found.version,
            problem.state,
            problem.cause,
            problem.remedy,
            requires=manifest.requires if manifest else (),
            uses=manifest.uses if manifest else (),
            summary=found.summary,
            package=found.package,
        )
        self._changes += 1

    # -- hooks while serving ----------------------------------------------------------------------------------------

    def authenticate(self, request: Request) -> Identity | None:
        """First answer wins. A failing implementation refuses the request: an error is never "anonymous"."""
        costs = current_costs()
        for name, call, cost in self._timed("jiki_authenticate"):
            started = time.perf_counter()
            try:
                identity = call(request)
            except DomainError:
                raise
            except Exception as error:
                self.count_failure(name, "jiki_authenticate")
                if type(error).__module__.startswith("sqlalchemy"):
                    raise
                log.exception("hook_failed", plugin=name, hook="jiki_authenticate")
                raise InternalError() from error
            finally:
                _charge(costs, cost, started)
            if identity is not None:
                return identity  # type: ignore[no-any-return]  # the hook's declared type
        return None

    def authorize(self, identity: Identity, permission: str, resource: Any) -> bool:
        """Any deny wins, nobody allows = deny, an error = deny."""
        allowed = False
        costs = current_costs()
        for name, call, cost in self._timed("jiki_authorize"):
            started = time.perf_counter()
            try:
                vote = call(identity, permission, resource)
            except Exception as error:
                self.count_failure(name, "jiki_authorize")
                if is_connection_lost(error):
                    raise  # 503: nobody gets in, and whoever asks again later gets an answer
                log.exception("hook_failed", plugin=name, hook="jiki_authorize")
                return False
            finally:
                _charge(costs, cost, started)
            if vote is False:
                return False
            allowed = allowed or vote is True
        return allowed

    def tell_change(self, change: PluginChange) -> list[tuple[str, Exception]]:
        """Tells every plugin that runs; each hears it although another fails. Returns who failed, with the error."""
        failed: list[tuple[str, Exception]] = []
        for name, implementation in self._implementations("jiki_plugin_changed"):
            try:
                _in_order(implementation, ["change"])(change)
            except Exception as error:
                self.count_failure(name, "jiki_plugin_changed")
                log.exception("hook_failed", plugin=name, hook="jiki_plugin_changed")
                failed.append((name, error))
        return failed

    @staticmethod
    def count_failure(plugin: str, hook: str) -> None:
        """One call of a plugin's hook, job, listener, channel or health check that failed."""
        _failures.labels(plugin, hook).inc()

    def commands(self) -> Iterator[tuple[str, Callable[[], list[click.Command]]]]:
        """(plugin, lazy commands) of each loaded plugin."""
        for name, implementation in self._implementations("jiki_commands"):
            yield name, lambda call=implementation.function: list(call())  # type: ignore[misc]  # bound to this turn

    def _timed(self, hook: str) -> tuple[tuple[str, Callable[..., Any], HookCost], ...]:
        """Implementations of a hook of requests, ready to be called with the hook's arguments in their order."""
        ready = self._ready.get(hook)
        if ready is None or ready[0] != self._changes:
            changes = self._changes
            order = list(inspect.signature(getattr(HookSpecs, hook)).parameters)[1:]
            found = self._implementations(hook)
            ready = changes, tuple((name, _in_order(one, order), cost_of(name, hook)) for name, one in found)
            self._ready[hook] = ready
        return ready[1]

    def _implementations(self, hook: str) -> Iterator[tuple[str, pluggy.HookImpl]]:
        """Implementations in dependency order (pluggy calls the last registered first), of plugins that run."""
        caller = getattr(self._manager.hook, hook)
        for implementation in reversed(caller.get_hookimpls()):
            name = implementation.plugin_name
            if self.is_up(name):  # a pause closes doors, never a guard
                yield name, implementation


def _charge(costs: Costs | None, cost: HookCost, started: float) -> None:
    now = time.perf_counter()
    spent = now - started
    cost.add(spent, now)
    if costs is not None:
        costs.by_plugin[cost.plugin] = costs.by_plugin.get(cost.plugin, 0.0) + spent


def _in_order(implementation: pluggy.HookImpl, order: list[str]) -> Callable[..., Any]:
    """The implementation as a function of all the hook's arguments by position; it may take fewer."""
    function, taken = implementation.function, list(implementation.argnames)
    if taken == order:
        return function
    places = [order.index(name) for name in taken]
    return lambda *given: function(*(given[place] for place in places))


def _with_what_it_takes(function: Callable[..., Any], **given: Any) -> Any:
    """Calls a hook of the boot, which may take fewer arguments than it is given."""
    taken = inspect.signature(function).parameters
    return function(**{name: value for name, value in given.items() if name in taken})


def _candidate(found: Discovered, plugin: Plugin) -> Candidate:
    return Candidate(found.name, found.version, plugin.requires, plugin.uses, plugin.core)
