"""Discovery: entry points and package metadata; nothing of a plugin is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from jiki_core.plugins.resolve import requirement_names

GROUP = "jiki.plugins"


@dataclass(frozen=True)
class Discovered:
    """An installed plugin, as its distribution's metadata describes it."""

    name: str
    version: str
    summary: str
    distribution: str
    entry_point: EntryPoint

    @property
    def package(self) -> str:
        """The import package, e.g. `jiki_auth`."""
        return self.entry_point.module.partition(".")[0]


def discover() -> dict[str, Discovered]:
    """Name -> installed plugin, sorted by name. Two distributions with one name: the first by distribution name wins."""
    found: dict[str, Discovered] = {}
    for entry_point in sorted(entry_points(group=GROUP), key=_distribution_name):
        distribution = entry_point.dist
        if distribution is None or entry_point.name in found:
            continue
        found[entry_point.name] = Discovered(
            name=entry_point.name,
            version=distribution.version,
            summary=str(distribution.metadata["Summary"] or "") if "Summary" in distribution.metadata else "",
            distribution=distribution.name,
            entry_point=entry_point,
        )
    return dict(sorted(found.items()))


def with_requirements(names: Iterable[str]) -> tuple[str, ...]:
    """Installed plugins and, before each, what it requires; imports their manifests."""
    installed = discover()
    found: list[str] = []
    for name in names:
        manifest = installed[name].entry_point.load() if name in installed else None
        needed = requirement_names(manifest.requires) if manifest is not None else []
        found += [one for one in (*with_requirements(needed), name) if one not in found]
    return tuple(found)


def _distribution_name(entry_point: EntryPoint) -> str:
    return entry_point.dist.name if entry_point.dist is not None else ""
