"""What each side lets the other do with its objects.

The solution's side has nothing to protect. The tests' side decides who passes, so the solution can use only
what a test handed it, only by public names, and can change neither a test's functions and classes nor its
mocks.
"""

from __future__ import annotations

import sys
import types

from .bridge import resolve
from .codec import MalformedValue, is_shared_name, qualified_name

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Guard(Protocol):
        """The policy of one side."""

        #: Are the peer's own comparison methods kept away from this side's plain data?
        is_wary: bool

        def check_reading(self, target: Any, name: str) -> None: ...

        def check_changing(self, target: Any, name: str) -> None: ...

        def check_calling(self, target: Any) -> None: ...

        def check_handing_over(self, value: Any) -> None: ...

        def standard_name(self, value: Any) -> str: ...

        def resolve_standard(self, name: str) -> Any: ...

        def raisable(self, kind: Any) -> Any: ...


class Refused(Exception):
    """The solution asked for something of the tests that is not its to have."""


class OpenGuard:
    """The solution's side: the tests may do everything."""

    is_wary = False

    def check_reading(self, target: Any, name: str) -> None:
        pass

    def check_changing(self, target: Any, name: str) -> None:
        pass

    def check_calling(self, target: Any) -> None:
        pass

    def check_handing_over(self, value: Any) -> None:
        pass

    def standard_name(self, value: Any) -> str:
        return ""

    def resolve_standard(self, name: str) -> Any:
        return resolve(name)

    def raisable(self, kind: Any) -> Any:
        return kind


#: Attributes of functions, generators, frames and coroutines that lead to other people's variables.
_INNER_PREFIXES = ("_", "gi_", "cr_", "ag_", "tb_", "f_", "co_")
_NEVER_HANDED_OVER = (types.FrameType, types.CodeType, types.TracebackType, types.ModuleType)
_UNCHANGEABLE = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


class TestsGuard:
    """The tests' side. `root` is the one object of ours that the solution's runtime itself may call."""

    is_wary = True
    __test__ = False  # not a test case, whatever its name

    def __init__(self, root: object) -> None:
        self._root = root

    def check_reading(self, target: Any, name: str) -> None:
        if not isinstance(name, str) or name.startswith(_INNER_PREFIXES):
            raise Refused(f"{name} of an object of the tests cannot be read from the solution")
        if _is_mock(target) and name in dir(sys.modules["unittest.mock"].NonCallableMock):
            raise Refused(f"{name} of a mock of the tests is not the solution's to use")

    def check_changing(self, target: Any, name: str) -> None:
        self.check_reading(target, name)
        if isinstance(target, (*_UNCHANGEABLE, BaseException)) or _is_mock(target):
            raise Refused(f"{name} of an object of the tests cannot be changed from the solution")
        if target is self._root:
            raise Refused("the tests' side cannot be changed from the solution")

    def check_calling(self, target: Any) -> None:
        if not callable(target):
            raise TypeError(f"{type(target).__name__!r} object is not callable")

    def check_handing_over(self, value: Any) -> None:
        unittest = sys.modules.get("unittest.case")
        if isinstance(value, _NEVER_HANDED_OVER) or (unittest is not None and isinstance(value, unittest.TestCase)):
            raise TypeError(f"a {type(value).__name__} of the tests cannot be handed to the solution")

    def standard_name(self, value: Any) -> str:
        """Functions of the standard library go by name: the solution has its own."""
        owner = getattr(value, "__objclass__", None)
        if isinstance(value, types.MethodDescriptorType) and isinstance(owner, type):
            prefix = qualified_name(owner)
            return f"{prefix}.{value.__name__}" if prefix else ""
        if not isinstance(value, (types.BuiltinFunctionType, types.FunctionType)):
            return ""
        module = value.__module__ or ""
        if module.partition(".")[0] not in sys.stdlib_module_names:
            return ""
        name = f"{module}.{value.__qualname__}"
        try:
            return name if resolve(name) is value else ""
        except (AttributeError, ImportError, MalformedValue):
            return ""

    def resolve_standard(self, name: str) -> Any:
        found = resolve(name) if is_shared_name(name) else None
        if not isinstance(found, type):
            raise MalformedValue(f"{name} is not a class that a solution can name")
        return found

    def raisable(self, kind: Any) -> Any:
        """An interrupt from the solution must not look like one of ours."""
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise MalformedValue("only exceptions can be raised")
        if issubclass(kind, (KeyboardInterrupt, GeneratorExit)):
            return SolutionInterrupt
        return kind


def _is_mock(value: object) -> bool:
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(value, mock.NonCallableMock)


class SolutionInterrupt(Exception):
    """The solution raised KeyboardInterrupt or GeneratorExit."""
