"""Resolution: which plugins may load, and in which order. Pure; the same answer in every process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from jiki_core.plugins.state import PluginState, Problem


@dataclass(frozen=True)
class Candidate:
    """A listed plugin whose manifest could be read."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    core: str = ">=1.0"


@dataclass(frozen=True)
class Resolution:
    """Plugins that may load, dependencies first, and the problems of the others."""

    order: tuple[str, ...]
    problems: Mapping[str, Problem]


def resolve(
    candidates: Iterable[Candidate],
    *,
    core_version: str,
    installed: Mapping[str, str],
    failed: Iterable[str] = (),
) -> Resolution:
    """`installed` maps every installed plugin to its version; `failed` are listed ones that could not be read."""
    listed = {one.name: one for one in sorted(candidates, key=lambda one: one.name)}
    problems: dict[str, Problem] = {}
    for one in listed.values():
        problem = _own_problem(one, listed, core_version, installed, frozenset(failed))
        if problem is not None:
            problems[one.name] = problem
    _mark_cycles(listed, problems)
    _spread_blocks(listed, problems)
    usable = {name: one for name, one in listed.items() if name not in problems}
    return Resolution(_ordered(usable), problems)


def blocked_by(name: str, blocker: str) -> Problem:
    """What a plugin is when one it requires does not run."""
    return Problem(
        PluginState.BLOCKED,
        f"{name} requires {blocker}, which does not run",
        f"see `flask plugins list` for {blocker}, or take {name} out of [plugins] enabled",
    )


def _own_problem(
    one: Candidate,
    listed: Mapping[str, Candidate],
    core_version: str,
    installed: Mapping[str, str],
    failed: frozenset[str],
) -> Problem | None:
    if not SpecifierSet(one.core).contains(core_version, prereleases=True):
        return Problem(
            PluginState.INCOMPATIBLE,
            f"{one.name} {one.version} needs jiki-core {one.core}, but {core_version} is installed",
            f"install a version of {one.name} made for jiki-core {core_version}",
        )
    for text in one.requires:
        requirement = Requirement(text)
        wanted = requirement.name
        if wanted not in listed and wanted not in failed:
            known = "is installed but not listed" if wanted in installed else "is not installed"
            remedy = (
                f"add {wanted} to [plugins] enabled"
                if wanted in installed
                else f"install the plugin {wanted} and list it, or take {one.name} out of [plugins] enabled"
            )
            return Problem(PluginState.BLOCKED, f"{one.name} requires {text}, which {known}", remedy)
        version = installed.get(wanted, "")
        if version and not requirement.specifier.contains(version, prereleases=True):
            return Problem(
                PluginState.INCOMPATIBLE,
                f"{one.name} requires {text}, but {wanted} {version} is installed",
                f"upgrade {wanted} to {requirement.specifier}, or install another version of {one.name}",
            )
        if wanted in failed:
            return blocked_by(one.name, wanted)
    return None


def _mark_cycles(listed: Mapping[str, Candidate], problems: dict[str, Problem]) -> None:
    for name in listed:
        path = _cycle_from(name, listed)
        if path:
            circle = " -> ".join(path)
            problems.setdefault(
                name,
                Problem(
                    PluginState.BLOCKED,
                    f"{name} is part of a circle of requirements: {circle}",
                    "take one of `requires` out of the circle; `uses` or an event will often do",
                ),
            )


def _cycle_from(start: str, listed: Mapping[str, Candidate]) -> list[str] | None:
    """The way from a plugin back to itself through `requires`, if there is one."""
    pending = [[start]]
    while pending:
        path = pending.pop()
        for needed in requirement_names(listed[path[-1]].requires):
            if needed == start:
                return [*path, start]
            if needed in listed and needed not in path:
                pending.append([*path, needed])
    return None


def _spread_blocks(listed: Mapping[str, Candidate], problems: dict[str, Problem]) -> None:
    changed = True
    while changed:
        changed = False
        for one in listed.values():
            if one.name in problems:
                continue
            for needed in requirement_names(one.requires):
                if needed in problems:
                    problems[one.name] = blocked_by(one.name, needed)
                    changed = True
                    break


def _ordered(usable: Mapping[str, Candidate]) -> tuple[str, ...]:
    """Dependencies first, ties by name. `uses` gives way where it would close a circle."""
    order: list[str] = []
    waiting = dict(usable)
    while waiting:
        ready = [one for one in waiting.values() if not set(requirement_names(one.requires)) & waiting.keys()]
        happy = [one for one in ready if not set(requirement_names(one.uses)) & waiting.keys()]
        chosen = min(happy or ready, key=lambda one: one.name)
        order.append(chosen.name)
        del waiting[chosen.name]
    return tuple(order)


def requirement_names(texts: Iterable[str]) -> list[str]:
    """Plugin names of requirement texts, without their versions."""
    return [Requirement(text).name for text in texts]
