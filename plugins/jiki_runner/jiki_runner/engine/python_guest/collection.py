"""Finds the tests of a test file, in the order of their lines, as unittest and pytest name them."""

from __future__ import annotations

import inspect
import types
import unittest

from .pytest_stand_in import expand_parameters, fixtures_of, marks_of, run_with_fixtures

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_BASES = (unittest.TestCase, unittest.FunctionTestCase, unittest.IsolatedAsyncioTestCase)


class FunctionTest(unittest.TestCase):
    """A test function of pytest's style, or a method of a class that is no TestCase."""

    def __init__(self, function: Callable[..., Any], name: str, owner: type | None, values: dict[str, Any]) -> None:
        super().__init__("run_function")
        self._function = function
        self._owner = owner
        self._values = values
        self.name = name

    def run_function(self) -> None:
        run_with_fixtures(self._function, self._owner, self._values)


class FoundTest:
    """One test: the case to run and what is known of it beforehand."""

    def __init__(self, case: unittest.TestCase, identifier: str, group: str, function: Any, file: str) -> None:
        self.case = case
        self.identifier = identifier
        self.group = group
        self.file = file
        self.line = _line(function)
        self.name = (
            identifier.rpartition(".")[2] if "[" not in identifier else identifier.partition(".")[2] or identifier
        )
        self.task = _task(function, type(case))

    def announcement(self) -> dict[str, Any]:
        return {
            "id": self.identifier,
            "name": self.name,
            "group": self.group,
            "file": self.file,
            "line": self.line,
            "task": self.task,
        }


def find_tests(module: types.ModuleType, file: str) -> list[FoundTest]:
    """All tests of an imported test module."""
    found: list[FoundTest] = []
    for name, member in list(vars(module).items()):
        if isinstance(member, type):
            if issubclass(member, unittest.TestCase):
                if member not in _BASES:
                    found.extend(_case_tests(member, file))
            elif name.startswith("Test") and member.__module__ == module.__name__ and getattr(member, "__test__", True):
                for method, function in _methods(member):
                    found.extend(_function_tests(function, f"{name}.{method}", name, member, file))
        elif (
            isinstance(member, types.FunctionType) and name.startswith("test") and member.__module__ == module.__name__
        ):
            found.extend(_function_tests(member, name, "", None, file))
    return found


def make_unique(tests: list[FoundTest]) -> None:
    """Tests of the same name, in two files or by two rows of a table that look alike, are told apart by a
    number.
    """
    count: dict[str, int] = {}
    for test in tests:
        count[test.identifier] = number = count.get(test.identifier, 0) + 1
        if number > 1:
            test.identifier += f" ({number})"


def _case_tests(case: type[unittest.TestCase], file: str) -> Iterator[FoundTest]:
    for name, function in _methods(case):
        yield FoundTest(case(name), f"{case.__name__}.{name}", case.__name__, function, file)


def _function_tests(function: Any, identifier: str, group: str, owner: type | None, file: str) -> Iterator[FoundTest]:
    for label, values in expand_parameters(function):
        full = f"{identifier}[{label}]" if label else identifier
        yield FoundTest(FunctionTest(function, full, owner, values), full, group, function, file)


def _methods(kind: type) -> list[tuple[str, Any]]:
    methods = []
    for name in dir(kind):
        if name.startswith("test"):
            member = inspect.getattr_static(kind, name)
            if callable(getattr(kind, name)) and name not in fixtures_of(kind):
                methods.append((name, member))
    return sorted(methods, key=lambda item: _line(item[1]))


def _line(function: Any) -> int:
    code = getattr(inspect.unwrap(function) if callable(function) else function, "__code__", None)
    return code.co_firstlineno if code is not None else 0


def _task(function: Any, case: type) -> int | None:
    """The number of `@pytest.mark.task(taskno=…)`: to which part of the exercise a test belongs."""
    for name, arguments, named in [*marks_of(function), *marks_of(case)]:
        if name == "task":
            number = named.get("taskno", arguments[0] if arguments else None)
            return number if isinstance(number, int) else None
    return None
