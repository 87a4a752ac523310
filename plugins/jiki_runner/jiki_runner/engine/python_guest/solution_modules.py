"""Lets a test file import the solution's modules as if they were here."""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .bridge import Bridge


class SolutionModule(types.ModuleType):
    """A module of the solution, seen from the tests. Its names are read each time, so that they are never
    stale.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return _finder().ask_public_names(self.__name__)
        if name.startswith("__") and name.endswith("__") and name != "__version__":
            raise AttributeError(name)
        return _finder().read(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__") and name.endswith("__"):  # the import system's own
            super().__setattr__(name, value)
        else:
            _finder().change(self, name, value)

    def __delattr__(self, name: str) -> None:
        _finder().remove(self, name)


class SolutionFinder:
    """A finder and loader for the modules of the solution."""

    def __init__(self, bridge: Bridge, names: Sequence[str], folder: str) -> None:
        self._bridge = bridge
        self._names = frozenset(names)
        self._folder = folder
        self._originals: dict[str, Any] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name not in self._names:
            return None
        spec = ModuleSpec(name, self, origin=f"{self._folder}{name}.py")  # type: ignore[arg-type]  # is a loader
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        self._originals[spec.name] = self._bridge.ask_root("import_module", spec.name)
        return SolutionModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing: its code has run where it belongs."""

    def ask_public_names(self, name: str) -> Any:
        return self._bridge.ask_root("public_names", name)

    def read(self, module: types.ModuleType, name: str) -> Any:
        return self._bridge.request("get", self._originals[module.__name__], name)

    def change(self, module: types.ModuleType, name: str, value: Any) -> None:
        self._bridge.request("set", self._originals[module.__name__], name, value)

    def remove(self, module: types.ModuleType, name: str) -> None:
        self._bridge.request("delete", self._originals[module.__name__], name)


def _finder() -> SolutionFinder:
    return next(finder for finder in sys.meta_path if isinstance(finder, SolutionFinder))


def install(bridge: Bridge, names: Sequence[str], folder: str) -> None:
    """Make the solution's modules importable, before anything else of their name."""
    sys.meta_path.insert(0, SolutionFinder(bridge, names, folder))
