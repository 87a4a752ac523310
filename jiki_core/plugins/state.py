"""The states of a plugin: each plugin ends in exactly one, with a sentence for the cause and one for the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PluginState(StrEnum):
    #: installed, not listed in the configuration, never loaded
    AVAILABLE = "available"
    #: listed, but switched off by safe mode
    DISABLED = "disabled"
    #: something it requires is not running
    BLOCKED = "blocked"
    #: a version it requires, or the core's, is not there
    INCOMPATIBLE = "incompatible"
    IMPORT_FAILED = "import-failed"
    #: its manifest or one of its contributions is wrong
    INVALID = "invalid"
    MISCONFIGURED = "misconfigured"
    #: its tables are older than its code
    SCHEMA_BEHIND = "schema-behind"
    CONFIGURE_FAILED = "configure-failed"
    RUNNING = "running"
    PAUSED = "paused"


@dataclass(frozen=True)
class PluginStatus:
    """Where a plugin stands, as `flask plugins list` and `/-/plugins` show it."""

    name: str
    version: str
    state: PluginState
    cause: str = ""
    remedy: str = ""
    requires: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    summary: str = ""
    package: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "version": self.version,
            "state": str(self.state),
            "cause": self.cause,
            "remedy": self.remedy,
            "requires": list(self.requires),
            "uses": list(self.uses),
        }

    def sentence(self) -> str:
        """One line for logs and terminals."""
        return f"{self.name} {self.version} is {self.state}" + (f": {self.cause}; {self.remedy}" if self.cause else "")


@dataclass(frozen=True)
class Problem:
    """Why a plugin does not go on, and what to do about it."""

    state: PluginState
    cause: str
    remedy: str
