"""What a test changes in the standard library, it changes for the solution too.

Tests replace `builtins.input` or `random.choice`, or seed the random numbers, and mean the program under
test. As that lives in another interpreter, each such change is made there as well, and undone with it.
"""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec, PathFinder

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .bridge import Bridge

#: Follow a test's own by other means, see solution_side.py.
_STREAMS = frozenset({"stdout", "stderr", "stdin"})


def is_shared(target: object, attribute: str) -> bool:
    """Is this a name of the standard library that the solution may use as well?"""
    if not isinstance(target, types.ModuleType):
        return False
    name = target.__name__
    if name.partition(".")[0] not in sys.stdlib_module_names:
        return False
    return not (name == "sys" and attribute in _STREAMS)


class _FollowingLoader:
    """A module's own loader, and then what follows the module."""

    def __init__(self, loader: Any, follow: Callable[[Any], None]) -> None:
        self._loader = loader
        self._follow = follow

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        self._loader.exec_module(module)
        self._follow(module)


class _FollowingFinder:
    """Finds the modules whose changes are to be followed, whenever a test imports them."""

    def __init__(self, followers: dict[str, Callable[[Any], None]]) -> None:
        self._followers = followers

    def find_spec(self, name: str, path: Any = None, target: object = None) -> ModuleSpec | None:
        if name not in self._followers:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = _FollowingLoader(spec.loader, self._followers[name])  # type: ignore[assignment]  # is one
        return spec


def install(bridge: Bridge) -> None:
    """Follow unittest.mock and random from now on, or from their import on."""
    followers: dict[str, Callable[[Any], None]] = {
        "unittest.mock": lambda module: _follow_mock(bridge, module),
        "random": lambda module: _follow_seed(bridge, module),
    }
    for name in followers.keys() & sys.modules.keys():
        followers.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _FollowingFinder(followers))


def _follow_mock(bridge: Bridge, mock: Any) -> None:
    patcher = mock._patch
    enter, leave = patcher.__enter__, patcher.__exit__

    def enter_both(self: Any) -> Any:
        result = enter(self)
        if is_shared(self.target, self.attribute):
            bridge.ask_root("patch", self.target.__name__, self.attribute, getattr(self.target, self.attribute))
        return result

    def leave_both(self: Any, *details: Any) -> Any:
        if is_shared(self.target, self.attribute):
            bridge.ask_root("undo_patch")
        return leave(self, *details)

    patcher.__enter__, patcher.__exit__ = enter_both, leave_both


def _follow_seed(bridge: Bridge, random: Any) -> None:
    seed = random.seed

    def seed_both(*arguments: Any) -> None:
        seed(*arguments)
        bridge.ask_root("seed_random", arguments)

    random.seed = seed_both
