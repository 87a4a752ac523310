"""The interpreter of the solution: imports the learner's modules and answers what the tests ask of them.

Nothing here is trusted: the learner's code shares this interpreter and may do with it what it likes. What is
printed goes to descriptor 2, from where the host takes it; descriptors 0 and 1 are the line to the tests.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module

from .bridge import Bridge
from .guard import OpenGuard
from .wire import Wire, open_printed

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from typing import Any

EXERCISE_FOLDER = "/exercise/"
_ABSENT = object()


class ForwardedOutput(io.TextIOBase):
    """Standard output while a test has replaced its own: what is printed is the test's to read."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def write(self, text: str, /) -> int:
        self._bridge.ask_root("write_output", str(text))
        return len(text)

    def writable(self) -> bool:
        return True


class ForwardedInput(io.TextIOBase):
    """Standard input: the lines a test provides, or none."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # typeshed: bytes too
        return str(self._bridge.ask_root("read_line"))

    def read(self, size: int | None = -1, /) -> str:
        return "".join(iter(self.readline, ""))

    def readable(self) -> bool:
        return True


class Solution:
    """What the tests' side may ask of this side besides the learner's own objects."""

    def __init__(self) -> None:
        self.bridge: Bridge | None = None
        self._printed = sys.stdout
        self._patched: list[tuple[Any, str, Any]] = []

    def import_module(self, name: str) -> Any:
        """Import a module of the learner's; whatever its top level raises goes to the tests."""
        return import_module(name)

    def public_names(self, name: str) -> list[str]:
        """What `from name import *` would bind."""
        module = sys.modules[name]
        return list(getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]))

    def capture_output(self, is_captured: bool) -> None:
        if self.bridge is not None:
            sys.stdout = ForwardedOutput(self.bridge) if is_captured else self._printed

    def patch(self, module_name: str, attribute: str, value: Any) -> None:
        """Set a name of a standard module here, as a test has done on its side; last in, first out."""
        module = import_module(module_name)
        self._patched.append((module, attribute, getattr(module, attribute, _ABSENT)))
        setattr(module, attribute, value)

    def undo_patch(self) -> None:
        module, attribute, value = self._patched.pop()
        if value is _ABSENT:
            delattr(module, attribute)
        else:
            setattr(module, attribute, value)

    def seed_random(self, arguments: tuple[Any, ...]) -> None:
        import_module("random").seed(*arguments)


def main() -> None:
    """Serve until the tests have no more questions."""
    printed = open_printed()
    sys.stdout = sys.stderr = printed
    sys.path.insert(0, EXERCISE_FOLDER.rstrip("/"))
    sys.dont_write_bytecode = True
    solution = Solution()
    bridge = Bridge(Wire(), solution, OpenGuard(), EXERCISE_FOLDER)
    solution.bridge = bridge
    sys.stdin = ForwardedInput(bridge)
    bridge.before_answer = printed.flush
    bridge.serve_forever()
