"""What a test changes in the standard library, it changes for the solution too.

Tests replace `builtins.input` or `random.choice`, or seed the random numbers, and mean the program under
test. As that lives in another interpreter, each such change is made there as well, and undone with it.
"""

from __future__ import annotations

import sys
import types

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
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


def install(bridge: Bridge) -> None:
    """Follow unittest.mock and random, as far as the test files have imported them."""
    if "unittest.mock" in sys.modules:
        _follow_mock(bridge, sys.modules["unittest.mock"])
    if "random" in sys.modules:
        _follow_seed(bridge, sys.modules["random"])


def _follow_mock(bridge: Bridge, mock: Any) -> None:
    patcher = mock._patch
    enter, leave = patcher.__enter__, patcher.__exit__

    def enter_both(self: Any) -> Any:
        result = enter(self)
        if is_shared(self.target, self.attribute):
            bridge.ask_root(
                "patch", self.target.__name__, self.attribute, getattr(self.target, self.attribute)
            )
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
