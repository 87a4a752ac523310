"""Why a plugin is in its state, as a tree over what it requires and uses; and where processes disagree. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import Requirement

from jiki_core.plugins.state import PluginStatus


@dataclass(frozen=True)
class Reason:
    """A sentence, what to do about it, and what it rests on."""

    text: str
    remedy: str = ""
    because: tuple[Reason, ...] = field(default=())

    def lines(self, indent: str = "") -> Iterator[str]:
        yield f"{indent}{self.text}"
        if self.remedy:
            yield f"{indent}  remedy: {self.remedy}"
        for reason in self.because:
            yield from reason.lines(f"{indent}  ")

    def as_json(self) -> dict[str, Any]:
        return {"text": self.text, "remedy": self.remedy, "because": [one.as_json() for one in self.because]}


def reason_tree(name: str, statuses: Mapping[str, PluginStatus], above: Sequence[str] = ()) -> Reason:
    """The state of an installed plugin and of everything it rests on. Raises KeyError for a name that is not installed."""
    status = statuses[name]
    said = f"{name} {status.version} is {status.state}" + (f": {status.cause}" if status.cause else "")
    if name in above:
        return Reason(f"{said} (see above)")
    because = [
        _branch(kind, text, statuses, [*above, name])
        for kind, texts in (("requires", status.requires), ("uses", status.uses))
        for text in texts
    ]
    return Reason(said, status.remedy, tuple(because))


def _branch(kind: str, text: str, statuses: Mapping[str, PluginStatus], above: Sequence[str]) -> Reason:
    needed = Requirement(text).name
    if needed not in statuses:
        loss = f"install {needed}" if kind == "requires" else ""
        return Reason(f"{kind} {text}: not installed", loss)
    found = reason_tree(needed, statuses, above)
    misfit = use_misfit(text, statuses) if kind == "uses" else ""
    remedy = found.remedy if kind == "requires" else misfit and f"install a version of {needed} that fits"
    return Reason(f"{kind} {text}: {found.text}" + (f"; {misfit}" if misfit else ""), remedy, found.because)


def use_misfit(text: str, statuses: Mapping[str, PluginStatus]) -> str:
    """Why an installed plugin is not the version that somebody uses; empty when it is, or is not there."""
    wanted = Requirement(text)
    status = statuses.get(wanted.name)
    if status is None or wanted.specifier.contains(status.version, prereleases=True):
        return ""
    return f"{wanted.name} {status.version} is not the version it is made for"


@dataclass(frozen=True)
class Process:
    """A living process, as its heartbeat tells."""

    name: str
    fingerprint: str
    plugins: Mapping[str, Mapping[str, Any]]


def disagreements(processes: Sequence[Process]) -> list[str]:
    """Sentences on every plugin and part in which living processes differ; empty when all have the same set."""
    if len({one.fingerprint for one in processes}) < 2:
        return []
    found = []
    for plugin in sorted({name for one in processes for name in one.plugins}):
        for part in ("version", "head", "settings"):
            told: dict[str, list[str]] = {}
            for one in processes:
                value = str(one.plugins[plugin].get(part) or "-") if plugin in one.plugins else "not listed"
                told.setdefault(value, []).append(one.name)
            if len(told) > 1:
                sides = "; ".join(f"{value} in {', '.join(names)}" for value, names in sorted(told.items()))
                found.append(f"{plugin}: {part} is {sides}")
    return found
