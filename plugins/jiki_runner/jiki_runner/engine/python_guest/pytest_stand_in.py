"""The part of pytest that course tests use: marks, raises, approx, parametrize, skip, fixtures, monkeypatch,
capsys.

Stands in sys.modules as `pytest`. Anything else of pytest is absent and says so, with the list of what there
is.
"""

from __future__ import annotations

import inspect
import io
import re
import sys
import types
import unittest

from .assertions import show

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Mark = tuple[str, tuple[Any, ...], dict[str, Any]]

_MARKS = "__jiki_marks__"


class _Mark:
    """`pytest.mark.NAME` and `pytest.mark.NAME(...)`."""

    def __init__(self, name: str, arguments: tuple[Any, ...] = (), named: dict[str, Any] | None = None) -> None:
        self.mark: Mark = (name, arguments, named or {})

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        target = arguments[0] if len(arguments) == 1 and not named else None
        if isinstance(target, (types.FunctionType, type)):
            setattr(target, _MARKS, [*marks_of(target), self.mark])
            return target
        return _Mark(self.mark[0], arguments, named)


class _Marks:
    def __getattr__(self, name: str) -> _Mark:
        return _Mark(name)


def marks_of(target: object) -> list[Mark]:
    """The marks on a test function or class, innermost first."""
    return list(getattr(target, _MARKS, []))


class _Parameters:
    """`pytest.param(values, id=…, marks=…)`."""

    def __init__(self, *values: Any, id: str | None = None, marks: Any = ()) -> None:  # pytest's name
        self.values = values
        self.identifier = id
        self.marks = [m.mark for m in (marks if isinstance(marks, (list, tuple)) else [marks])]


def expand_parameters(function: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(label, values by name) for each call that `pytest.mark.parametrize` asks for; one without label if
    none.
    """
    rows: list[tuple[list[str], dict[str, Any]]] = [([], {})]
    for name, arguments, named in marks_of(function):
        if name != "parametrize":
            continue
        names, table = arguments[0], list(arguments[1])
        names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        identifiers = named.get("ids")
        rows = [
            ([*labels, _label(entry, index, identifiers)], {**values, **_row(names, entry)})
            for labels, values in rows
            for index, entry in enumerate(table)
        ]
    for labels, values in rows:
        yield "-".join(labels), values


def _row(names: list[str], entry: Any) -> dict[str, Any]:
    if isinstance(entry, _Parameters):
        return dict(zip(names, entry.values, strict=True))
    return {names[0]: entry} if len(names) == 1 else dict(zip(names, entry, strict=True))


def _label(entry: Any, index: int, identifiers: Any) -> str:
    if isinstance(entry, _Parameters) and entry.identifier is not None:
        return entry.identifier
    if callable(identifiers):
        return str(identifiers(entry))
    if identifiers is not None:
        return str(identifiers[index])
    values = entry.values if isinstance(entry, _Parameters) else entry if isinstance(entry, (list, tuple)) else (entry,)
    plain = all(isinstance(value, (str, int, float, bool, type(None))) for value in values)
    return "-".join(map(str, values))[:60] if plain else str(index)


class _Raises:
    """`with pytest.raises(Error, match=…) as info`."""

    def __init__(self, expected: Any, match: str | None = None) -> None:
        self._expected = expected
        self._match = match
        self.value: Any = None
        self.type: Any = None

    def __enter__(self) -> _Raises:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if error is None:
            raise AssertionError(f"DID NOT RAISE {getattr(self._expected, '__name__', self._expected)}")
        if not isinstance(error, self._expected):
            return False
        self.value, self.type = error, kind
        if self._match is not None and not re.search(self._match, str(error)):
            raise AssertionError(f"{str(error)!r} does not match {self._match!r}")
        return True

    def match(self, pattern: str) -> bool:
        if not re.search(pattern, str(self.value)):
            raise AssertionError(f"{str(self.value)!r} does not match {pattern!r}")
        return True


def raises(expected: Any, *arguments: Any, match: str | None = None) -> Any:
    """As pytest's, in both forms. An exception of the solution is one of its mirror classes."""
    context = _Raises(expected, match)
    if not arguments:
        return context
    with context:
        arguments[0](*arguments[1:])
    return context


class approx:  # pytest's name
    """`== pytest.approx(expected, rel=…, abs=…)` for numbers, and sequences and dictionaries of numbers."""

    __hash__ = None  # type: ignore[assignment]  # equality by tolerance has no hash

    def __init__(self, expected: Any, rel: float | None = None, abs: float | None = None) -> None:
        self._expected = expected
        self._relative = rel
        self._absolute = abs

    def __eq__(self, other: object) -> bool:
        return self._matches(self._expected, other)

    def _matches(self, expected: Any, actual: Any) -> bool:
        if isinstance(expected, dict):
            return (
                isinstance(actual, dict)
                and expected.keys() == actual.keys()
                and all(self._matches(expected[key], actual[key]) for key in expected)
            )
        if isinstance(expected, (list, tuple)):
            return (
                isinstance(actual, (list, tuple))
                and len(expected) == len(actual)
                and all(map(self._matches, expected, actual))
            )
        if type(actual) not in (int, float, complex, bool) or not isinstance(expected, (int, float, complex)):
            return bool(expected == actual)
        absolute = 1e-12 if self._absolute is None else self._absolute
        relative = (1e-6 if self._relative is None and self._absolute is None else self._relative or 0.0) * abs(
            expected
        )
        return bool(expected == actual) or abs(expected - actual) <= max(absolute, relative)

    def __repr__(self) -> str:
        return f"approximately {show(self._expected)}"


def skip(reason: str = "") -> None:
    raise unittest.SkipTest(reason)


def fail(reason: str = "", pytrace: bool = True) -> None:
    raise AssertionError(reason)


_FIXTURE = "__jiki_fixture__"
_AUTOUSE = "__jiki_autouse__"


def fixture(function: Any = None, **options: Any) -> Any:
    """`@pytest.fixture`: made anew for each test, whatever its scope; after a `yield` it is torn down."""

    def mark(target: Any) -> Any:
        setattr(target, _FIXTURE, options.get("name") or target.__name__)
        setattr(target, _AUTOUSE, bool(options.get("autouse")))
        return target

    return mark if function is None else mark(function)


def fixtures_of(holder: Any) -> dict[str, Any]:
    """The fixtures that a module's namespace or a class defines, by name."""
    members = holder.items() if isinstance(holder, dict) else inspect.getmembers_static(holder)
    return {
        getattr(member, _FIXTURE): member for _, member in members if isinstance(getattr(member, _FIXTURE, None), str)
    }


class MonkeyPatch:
    """The `monkeypatch` fixture: setattr, delattr, setitem, delitem; undone after the test."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Any]] = []

    def setattr(self, target: Any, name: Any, *value: Any) -> None:
        from unittest import mock

        patcher = mock.patch.object(target, name, *value) if value else mock.patch(target, name)
        patcher.start()
        self._undo.append(patcher.stop)

    def setitem(self, target: Any, key: Any, value: Any) -> None:
        from unittest import mock

        patcher = mock.patch.dict(target, {key: value})
        patcher.start()
        self._undo.append(patcher.stop)

    def undo(self) -> None:
        while self._undo:
            self._undo.pop()()


class Captured:
    """The `capsys` fixture: what the test and the solution print."""

    def __init__(self) -> None:
        self._before = sys.stdout
        self._text = io.StringIO()
        sys.stdout = self._text

    def readouterr(self) -> Any:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return types.SimpleNamespace(out=text, err="")

    def close(self) -> None:
        sys.stdout = self._before


class _FixtureRequest:
    """The fixtures of one test: made on demand, torn down in reverse."""

    def __init__(self, known: dict[str, Any], instance: Any) -> None:
        self._known = known
        self._instance = instance
        self._made: dict[str, Any] = {}
        self._teardowns: list[Callable[[], Any]] = []

    def value(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Any:
        if name == "monkeypatch":
            patch = MonkeyPatch()
            self._teardowns.append(patch.undo)
            return patch
        if name == "capsys":
            captured = Captured()
            self._teardowns.append(captured.close)
            return captured
        if name not in self._known:
            raise LookupError(f"fixture {name!r} not found; there are {', '.join(sorted(self._known)) or 'none'}")
        function = self._known[name]
        made = self.call(function, {})
        if inspect.isgenerator(made):
            self._teardowns.append(lambda: next(made, None))
            return next(made)
        return made

    def call(self, function: Any, values: dict[str, Any]) -> Any:
        wanted = list(inspect.signature(function).parameters)
        leading = []
        if wanted[:1] == ["self"]:
            leading, wanted = [self._instance], wanted[1:]
        return function(*leading, **{n: values[n] if n in values else self.value(n) for n in wanted})

    def close(self) -> None:
        while self._teardowns:
            self._teardowns.pop()()


def run_with_fixtures(function: Any, owner: type | None, values: dict[str, Any]) -> None:
    """Run one test function: skip marks, fixtures of its module and class, then the function itself."""
    expects_failure = False
    for name, arguments, named in [*marks_of(function), *marks_of(owner)]:
        if name == "skip" or (name == "skipif" and arguments and arguments[0]):
            raise unittest.SkipTest(named.get("reason", ""))
        expects_failure = expects_failure or name == "xfail"
    instance = owner() if owner is not None else None
    known = {**fixtures_of(function.__globals__), **(fixtures_of(owner) if owner is not None else {})}
    request = _FixtureRequest(known, instance)
    try:
        for name, member in known.items():
            if getattr(member, _AUTOUSE, False):
                request.value(name)
        request.call(function, values)
    except AssertionError:
        if not expects_failure:
            raise
    finally:
        request.close()


def make_module() -> types.ModuleType:
    """The module that `import pytest` finds."""
    module = types.ModuleType("pytest")
    offered = {
        "mark": _Marks(),
        "raises": raises,
        "approx": approx,
        "skip": skip,
        "fail": fail,
        "param": _Parameters,
        "fixture": fixture,
        "MonkeyPatch": MonkeyPatch,
    }

    def missing(name: str) -> Any:
        raise AttributeError(
            f"pytest.{name} is not part of this runner's pytest; there are {', '.join(sorted(offered))}"
        )

    vars(module).update(offered, __getattr__=missing)
    return module
