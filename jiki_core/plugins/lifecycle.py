"""What happens to plugins from one deploy to the next, told once to `jiki_plugin_changed` (architecture.md 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

#: key of the advisory lock under which changes are told and schemas purged
CHANGE_LOCK = 7_021_990


class ChangeKind(StrEnum):
    """What happened to a plugin between two deploys, or is about to."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    UPGRADED = "upgraded"
    #: its tables are about to go; told before they do
    PURGING = "purging"


@dataclass(frozen=True, slots=True)
class PluginChange:
    """One plugin from one deploy to the next."""

    kind: ChangeKind
    plugin: str
    #: the version before; None when it was off
    before: str | None
    #: the version now; None when it is off
    after: str | None

    def sentence(self) -> str:
        versions = " -> ".join(one for one in (self.before, self.after) if one)
        return f"{self.plugin} {self.kind} ({versions})"


def changes_between(
    before: Mapping[str, str], after: Mapping[str, str], undecided: Iterable[str] = ()
) -> list[PluginChange]:
    """`before` and `after`: plugin -> version, of those that are on; `undecided` ones are listed and do not run now.

    Those that go come first, then the others in the order of `after`.
    """
    waiting = set(undecided)
    found = [
        PluginChange(ChangeKind.DISABLED, name, version, None)
        for name, version in sorted(before.items())
        if name not in after and name not in waiting
    ]
    for name, version in after.items():
        known = before.get(name)
        if known is None:
            found.append(PluginChange(ChangeKind.ENABLED, name, None, version))
        elif known != version:
            found.append(PluginChange(ChangeKind.UPGRADED, name, known, version))
    return found
