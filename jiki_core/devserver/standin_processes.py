"""Runs the stand-ins that enabled plugins name, each at an address of its own in this stack."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from jiki_core.configuration import read_configuration
from jiki_core.devserver.data_dir import STANDINS_ENTRY
from jiki_core.devserver.engines import read_json, write_json
from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.ports import free_port
from jiki_core.devserver.processes import Program
from jiki_core.devserver.standins import GROUP, Place, StandIn
from jiki_core.settings import ConfigurationError, Sources

READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A stand-in and where it runs in this stack."""

    standin: StandIn
    place: Place

    def program(self, project: Path) -> Program:
        command = (sys.executable, "-m", self.standin.module, *self.standin.arguments(self.place))
        return Program(self.standin.name, command, {**os.environ, "PYTHONUNBUFFERED": "1"}, project)

    @property
    def environment(self) -> Mapping[str, str]:
        return self.standin.environment(self.place)

    @property
    def link(self) -> tuple[str, str] | None:
        """Title and address of its page."""
        return (self.standin.name, self.place.url + self.standin.page_path) if self.standin.page_path else None

    def await_health(self) -> None:
        """Raises ServiceError when it does not answer in time."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                with urllib.request.urlopen(self.place.url + self.standin.health_path, timeout=5):
                    return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"the stand-in {self.standin.name} did not answer in {READY_SECONDS:.0f} s: {error}",
                        f"see its lines above, or set {self.standin.replaced_by} to use the real service",
                    ) from None
            time.sleep(0.05)


def placed_standins(data_dir: Path, public_url: str, environment: Mapping[str, str]) -> Iterator[Placed]:
    """Those that enabled plugins name and the user has not replaced, each on the port it had last time if that is free."""
    enabled = _enabled_plugins(environment)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        if entry.name not in enabled:
            continue
        standin: StandIn = entry.load()
        if environment.get(standin.replaced_by):
            continue
        folder = data_dir / STANDINS_ENTRY / standin.name
        folder.mkdir(parents=True, exist_ok=True)
        known = read_json(folder / "port.json").get("port")
        port = free_port(known if isinstance(known, int) else None)
        write_json(folder / "port.json", {"port": port})
        yield Placed(standin, Place(port, folder, public_url))


def _enabled_plugins(environment: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return read_configuration(Sources.read(environment)).selection.enabled
    except ConfigurationError:
        return ()  # the first flask command of the stack says what is wrong, and stops it
