"""Two interpreters' worth of bridge in one: what crosses, what it looks like there, and what is refused.

The `solution` side serves on a thread; the test is the `tests` side.
"""

from __future__ import annotations

import array
import datetime
import decimal
import enum
import fractions
import gc
import io
import os
import re
import threading
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Generator, Iterator, MutableSet
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from jiki_runner.engine.python_guest.bridge import Bridge, PeerFault, PeerGone
from jiki_runner.engine.python_guest.codec import MalformedValue
from jiki_runner.engine.python_guest.guard import OpenGuard, Refused, SolutionInterrupt, TestsGuard
from jiki_runner.engine.python_guest.wire import GONE, PEER, Wire


class Solution:
    """The root of the solution's side: whatever a test puts on it."""

    def echo(self, value: Any) -> Any:
        return value

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    def run(self, function_name: str, *arguments: Any) -> Any:
        return PROGRAMS[function_name](*arguments)


class Tests:
    """The root of the tests' side."""

    __test__ = False

    def __init__(self) -> None:
        self.written: list[str] = []

    def write_output(self, text: str) -> None:
        self.written.append(text)


PROGRAMS: dict[str, Callable[..., Any]] = {}


def program(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that the tests reach only by way of the bridge."""
    PROGRAMS[function.__name__] = function
    return function


class Side:
    """The tests' side of a pair, with `run(name, …)` for calling a program on the other."""

    def __init__(self) -> None:
        to_solution, to_tests = os.pipe(), os.pipe()
        self.descriptors = [*to_solution, *to_tests]
        self.wire_of_solution = Wire(to_solution[0], to_tests[1])
        self.wire = Wire(to_tests[0], to_solution[1])
        self.root = Tests()
        self.bridge = Bridge(self.wire, self.root, TestsGuard(self.root), "/exercise/")
        self.peer = Bridge(self.wire_of_solution, Solution(), OpenGuard(), os.path.dirname(__file__) + os.sep)
        self.thread = threading.Thread(target=self.peer.serve_forever, daemon=True)

    def run(self, name: str, *arguments: Any) -> Any:
        return self.bridge.ask_root("run", name, *arguments)

    def close(self) -> None:
        self.wire.send(GONE, b"over")
        self.thread.join(10)
        for descriptor in self.descriptors:
            os.close(descriptor)


@pytest.fixture
def side() -> Iterator[Side]:
    made = Side()
    made.thread.start()
    yield made
    made.close()


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, -1, 1 << 53, -(1 << 80), 10**4000, 0.1, -0.0, float("inf"), 1e300, 2 + 3j),
        *("", "text", "\ud800", "\0", "日本", b"", b"\xff\0", ..., NotImplemented),
        *([], [1, [2, [3]]], (), (1, (2,)), set(), {1, 2}, frozenset({1}), {}, {1: {2: 3}}, {(1, 2): [3]}),
        *(range(3), range(9, 0, -2), slice(1, None, 2), bytearray(b"ab"), ["a", None, 1.5, {"k": {1}}]),
        *(datetime.date(2024, 2, 29), datetime.timedelta(seconds=1), datetime.time(1, 2, 3, 4)),
        *(
            datetime.datetime(2024, 2, 29, 1, tzinfo=datetime.UTC),
            decimal.Decimal("1.10"),
            fractions.Fraction(1, 3),
        ),
        *(uuid.UUID(int=7), Counter("aab"), OrderedDict(a=1), defaultdict(list, a=[1]), deque([1], 3)),
        *(array.array("i", [1, 2]), re.compile("a+", re.IGNORECASE), int, ValueError, Counter, io.StringIO),
    ],
)
def test_plain_data_crosses_by_value(side: Side, value: Any) -> None:
    back = side.bridge.ask_root("echo", value)
    assert back == value
    assert type(back) is type(value)
    assert repr(back) == repr(value)


def test_views_of_dictionaries_cross(side: Side) -> None:
    table = {"a": 1, "b": 2}
    assert side.bridge.ask_root("echo", table.keys()) == table.keys()
    assert list(side.bridge.ask_root("echo", table.values())) == [1, 2]
    assert side.bridge.ask_root("echo", table.items()) == table.items()


def test_not_a_number_stays_one(side: Side) -> None:
    back = side.bridge.ask_root("echo", float("nan"))
    assert back != back


@program
def sort_in_place(numbers: list[int], table: dict[str, int], seen: set[int]) -> list[int]:
    numbers.sort()
    table["added"] = 1
    table.pop("gone", None)
    seen.clear()
    return numbers


def test_what_a_call_changes_in_its_arguments_is_changed_here(side: Side) -> None:
    numbers, table, seen = [3, 1, 2], {"gone": 0}, {1}
    result = side.run("sort_in_place", numbers, table, seen)
    assert (numbers, table, seen) == ([1, 2, 3], {"added": 1}, set())
    assert result is numbers


@program
def put_twice(outer: list[Any], inner: list[Any]) -> bool:
    inner.append("x")
    return outer[0] is inner


def test_two_ways_to_one_list_stay_two_ways_to_one_list(side: Side) -> None:
    inner: list[Any] = []
    outer = [inner]
    assert side.run("put_twice", outer, inner) is True
    assert outer == [["x"]]
    assert outer[0] is inner


class Clock:
    """Tells the time."""

    count = 0

    def __init__(self, hour: int, minute: int = 0) -> None:
        self.hour = hour
        self.minute = minute
        Clock.count += 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clock) and (self.hour, self.minute) == (other.hour, other.minute)

    def __hash__(self) -> int:
        return hash((self.hour, self.minute))

    def __repr__(self) -> str:
        return f"Clock({self.hour}, {self.minute})"

    def __add__(self, minutes: int) -> Clock:
        if not isinstance(minutes, int):
            return NotImplemented
        return Clock(self.hour, self.minute + minutes)

    def __getitem__(self, index: int) -> int:
        return (self.hour, self.minute)[index]

    def __len__(self) -> int:
        return 2

    def __enter__(self) -> Clock:
        return self

    def __exit__(self, *details: Any) -> bool:
        return details[0] is KeyError

    def later(self, *, by: int = 1) -> Clock:
        """The clock some minutes later."""
        return self + by

    @property
    def text(self) -> str:
        return f"{self.hour:02}:{self.minute:02}"

    @classmethod
    def noon(cls) -> Clock:
        return cls(12)

    @staticmethod
    def is_hour(number: int) -> bool:
        return 0 <= number < 24


class Alarm(Clock):
    pass


@program
def classes() -> tuple[type, type]:
    return Clock, Alarm


@program
def make_clock(hour: int) -> Clock:
    return Clock(hour)


@pytest.fixture
def clock(side: Side) -> Any:
    return side.run("classes")[0]


def test_a_class_of_the_solution_is_a_class_here(clock: Any) -> None:
    assert clock is not Clock
    assert type(clock) is not type
    assert issubclass(clock, object)
    assert (clock.__name__, clock.__doc__) == ("Clock", "Tells the time.")
    assert clock.later.__doc__ == "The clock some minutes later."


def test_its_instances_are_instances_here(side: Side, clock: Any) -> None:
    noon = clock(12)
    assert isinstance(noon, clock)
    assert type(noon) is clock
    assert type(side.run("make_clock", 3)) is clock
    alarm = side.run("classes")[1]
    assert issubclass(alarm, clock)
    assert isinstance(alarm(6), clock)


def test_special_methods_work_from_here(clock: Any) -> None:
    noon = clock(12, 5)
    assert noon == clock(12, 5)
    assert noon != clock(13)
    assert repr(noon) == "Clock(12, 5)"
    assert (noon[0], len(noon), list(noon)) == (12, 2, [12, 5])
    assert (noon + 3).text == "12:08"
    assert {noon: 1}[clock(12, 5)] == 1
    with pytest.raises(TypeError, match="unsupported operand"):
        noon + "x"
    with pytest.raises(TypeError, match="not callable"):
        noon()
    with noon:
        raise KeyError
    with pytest.raises(IndexError), noon:
        noon[5]


def test_methods_attributes_and_class_members_work_from_here(clock: Any) -> None:
    noon = clock.noon()
    assert noon.later(by=2).minute == 2
    noon.minute = 30
    assert noon.text == "12:30"
    del noon.minute
    assert not hasattr(noon, "minute")
    assert clock.is_hour(24) is False
    clock.count = 100
    assert Clock.count == 100
    with pytest.raises(AttributeError, match="colour"):
        _ = noon.colour


def test_an_object_keeps_its_identity(side: Side, clock: Any) -> None:
    noon = clock(12)
    assert side.bridge.ask_root("echo", noon) is noon
    assert side.bridge.ask_root("echo", [noon, (noon,)]) == [noon, (noon,)]


class Shade(enum.Enum):
    LIGHT = "light"
    DARK = "dark"


class Level(enum.IntEnum):
    LOW = 1


@dataclass
class Card:
    rank: int


class Bag(MutableSet[int]):
    def __init__(self, *items: int) -> None:
        self._items = list(items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __iter__(self) -> Iterator[int]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, value: int) -> None:
        self._items.append(value)

    def discard(self, value: int) -> None:
        self._items.remove(value)


class Rows(list[int]):
    def first(self) -> int:
        return self[0]


@program
def give(name: str, *arguments: Any) -> Any:
    return globals()[name](*arguments) if arguments else globals()[name]


def test_enumerations_work_from_here(side: Side) -> None:
    shade = side.run("give", "Shade")
    assert shade.DARK is shade("dark")
    assert shade["LIGHT"].value == "light"
    assert [member.name for member in shade] == ["LIGHT", "DARK"]
    assert len(shade) == 2
    level = side.run("give", "Level")
    assert level.LOW == 1
    assert isinstance(level.LOW, int)


def test_dataclasses_named_tuples_sets_and_lists_of_the_solution_work_from_here(side: Side) -> None:
    card = side.run("give", "Card")
    assert card(1) == card(1)
    assert card(1) != card(2)
    point = side.run("give", "Point", 1, 2)
    assert point == (1, 2)
    assert point.x == 1
    bag = side.run("give", "Bag", 1, 2)
    assert isinstance(bag, MutableSet)
    assert 2 in bag
    assert sorted(bag) == [1, 2]
    rows = side.run("give", "Rows", [3, 4])
    assert rows.first() == 3
    assert rows == [3, 4]
    assert rows != [3, 5]
    assert issubclass(type(rows), list)
    assert (sum(rows), rows[1], len(rows), rows[::-1]) == (7, 4, 2, [4, 3])
    rows.append(5)
    assert 5 in rows


@program
def count_up(to: int) -> Iterator[int]:
    for number in range(to):
        received = yield number
        if received is not None:
            yield received


@program
def compose(*functions: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Calls them in turn."""

    def composed(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return composed


def test_generators_and_functions_of_the_solution_work_from_here(side: Side) -> None:
    assert list(side.run("count_up", 3)) == [0, 1, 2]
    generator = side.run("count_up", 3)
    assert isinstance(generator, Generator)
    assert isinstance(generator, types.GeneratorType)
    assert next(generator) == 0
    assert generator.send("hello") == "hello"
    assert list(generator) == [1, 2]
    with pytest.raises(StopIteration):
        next(generator)
    function = side.run("compose", str.upper, len, lambda n: n + 1)
    assert function("abc") == 4
    assert isinstance(function, types.FunctionType)
    assert function.__name__ == "composed"
    assert side.run("give", "compose").__doc__ == "Calls them in turn."


class StackUnderflow(Exception):
    def __init__(self, message: str, depth: int) -> None:
        super().__init__(message)
        self.depth = depth


class Silent(Exception):
    def __str__(self) -> str:
        return "hush"


@program
def fail(kind: str) -> None:
    if kind == "own":
        raise StackUnderflow("too few", 3)
    if kind == "silent":
        raise Silent
    raise {
        "value": ValueError("no", 1),
        "key": KeyError("k"),
        "exit": SystemExit(3),
        "stop": KeyboardInterrupt(),
    }[kind]


def test_exceptions_of_the_solution_can_be_caught_here(side: Side) -> None:
    own = side.run("give", "StackUnderflow")
    with pytest.raises(own) as caught:
        side.run("fail", "own")
    assert (str(caught.value), caught.value.args, caught.value.depth) == ("too few", ("too few",), 3)
    with pytest.raises(ValueError, match="no") as standard:
        side.run("fail", "value")
    assert standard.value.args == ("no", 1)
    with pytest.raises(KeyError):
        side.run("fail", "key")
    with pytest.raises(Exception, match="hush"):
        side.run("fail", "silent")
    with pytest.raises(SystemExit):
        side.run("fail", "exit")


def test_an_exception_says_where_in_the_solution_it_was_raised(side: Side) -> None:
    with pytest.raises(KeyError) as caught:
        side.run("fail", "key")
    file, line, function = caught.value.jiki_places[-1]  # type: ignore[attr-defined]  # set by the bridge
    assert (file, function) == (os.path.basename(__file__), "fail")
    assert line > 0


def test_an_interrupt_of_the_solution_is_no_interrupt_here(side: Side) -> None:
    with pytest.raises(SolutionInterrupt):
        side.run("fail", "stop")


class OurError(Exception):
    pass


def test_what_a_callback_raises_comes_back_as_itself(side: Side) -> None:
    error = OurError("mine")

    def callback() -> None:
        raise error

    with pytest.raises(OurError) as caught:
        side.bridge.ask_root("call", callback)
    assert caught.value is error


def test_an_assertion_that_failed_in_a_callback_is_remembered(side: Side) -> None:
    @program
    def swallow(function: Callable[[], Any]) -> str:
        try:
            function()
        except BaseException:
            return "swallowed"
        return "fine"

    def callback() -> None:
        raise AssertionError("not so")

    assert side.run("swallow", callback) == "swallowed"
    assert str(side.bridge.failure_in_callback) == "not so"


def test_the_solution_can_use_what_a_test_hands_it(side: Side) -> None:
    @program
    def use(file: Any, mocked: Any, text: Any) -> list[Any]:
        with file as opened:
            opened.note = "written"
            mocked(1, key=2)
            return [opened.read(2), list(text), mocked.attribute.name]

    class FakeFile:
        note = ""

        def __enter__(self) -> FakeFile:
            return self

        def __exit__(self, *details: Any) -> None:
            self.closed = True

        def read(self, size: int) -> str:
            return "x" * size

    file, mocked = FakeFile(), mock.MagicMock()
    mocked.attribute.name = "inner"
    assert side.run("use", file, mocked, io.StringIO("a\nb\n")) == ["xx", ["a\n", "b\n"], "inner"]
    assert (file.note, file.closed) == ("written", True)
    mocked.assert_called_once_with(1, key=2)


def test_the_end_of_a_mirror_is_not_the_end_of_its_original(side: Side) -> None:
    @program
    def use_once(file: Any) -> str:
        return str(file.readline())

    file = io.StringIO("one\ntwo\n")
    assert side.run("use_once", file) == "one\n"
    side.peer._adopted.clear()
    side.peer._alive.clear()
    gc.collect()
    assert file.readline() == "two\n"


def a_generator() -> Iterator[int]:
    yield 1


class Handed:
    """An object of the tests."""

    value = 1

    def method(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (Handed(), "__class__"),
        (Handed(), "__dict__"),
        (Handed(), "_private"),
        (Handed().method, "__self__"),
        (Handed().method, "__func__"),
        (lambda: 1, "__globals__"),
        (lambda: 1, "__code__"),
        (lambda: 1, "__closure__"),
        (a_generator(), "gi_frame"),
        (a_generator(), "gi_code"),
        (Handed, "__subclasses__"),
        (Handed, "__init__"),
        (mock.Mock(), "_mock_children"),
        (mock.Mock(), "reset_mock"),
        (mock.Mock(), "configure_mock"),
        (mock.MagicMock(), "side_effect"),
        (mock.MagicMock(), "assert_called_once"),
    ],
)
def test_the_solution_cannot_read_the_insides_of_the_tests(side: Side, thing: Any, name: str) -> None:
    @program
    def read(value: Any, attribute: str) -> Any:
        return side.peer.request("get", value, attribute)

    with pytest.raises(Refused, match=r"cannot be read|not the solution's"):
        side.run("read", thing, name)


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (Handed, "method"),
        (lambda: 1, "marker"),
        (Handed().method, "marker"),
        (mock.Mock(), "assert_called_once_with"),
        (mock.MagicMock(), "called"),
        (ValueError("x"), "args"),
        (Handed(), "__class__"),
    ],
)
def test_the_solution_cannot_change_what_judges_it(side: Side, thing: Any, name: str) -> None:
    @program
    def change(value: Any, attribute: str) -> None:
        side.peer.request("set", value, attribute, None)

    with pytest.raises(Refused, match=r"cannot be|not the solution's"):
        side.run("change", thing, name)


def test_the_root_of_the_tests_cannot_be_changed_or_looked_into(side: Side) -> None:
    @program
    def meddle() -> list[str]:
        told = []
        for operation, operands in [
            ("set", ("write_output", None)),
            ("get", ("__class__",)),
            ("delete", ("written",)),
        ]:
            try:
                side.peer._send([operation, ["yours", 0], *operands])
                told.append(side.peer._receive()[0])
            except Exception as error:  # the refusal itself
                told.append(type(error).__name__)
        return told

    assert side.run("meddle") == ["raise", "raise", "raise"]


@pytest.mark.parametrize(
    "message",
    [
        ["call", ["standard", "io.FileIO"], ["tuple", ["bridge.py"]], ["dict", None, []]],
        ["call", ["standard", "builtins.type"], ["tuple", [["yours", 0]]], ["dict", None, []]],
        ["invoke", "{0.__class__}", "format", ["tuple", [["yours", 0]]], ["dict", None, []]],
        ["invoke", ["standard", "collections.abc.Sized"], "register", ["tuple", []], ["dict", None, []]],
        ["special", "%s", "__mod__", ["tuple", [["yours", 0]]]],
        ["get", ["list", None, []], "append"],
        ["get", ["yours", 77], "written"],
        ["copy", 5],
        ["call"],
    ],
)
def test_the_solution_can_use_nothing_that_it_was_not_handed(side: Side, message: list[Any]) -> None:
    @program
    def use() -> Any:
        side.peer._send(message)
        return side.peer._receive()[0]

    assert side.run("use") == "raise"


def test_the_class_of_what_was_handed_over_can_be_named_but_not_used(side: Side) -> None:
    @program
    def use_class(thing: Any) -> Any:
        return isinstance(thing, type(thing)), type(thing)()

    with pytest.raises(PeerFault, match="only what was handed over"):
        side.run("use_class", Handed())


def test_a_test_case_and_a_frame_cannot_be_handed_over(side: Side) -> None:
    import sys
    import unittest

    for thing in (unittest.TestCase(), sys._getframe(), sys):
        with pytest.raises(TypeError, match="cannot be handed"):
            side.bridge.ask_root("echo", thing)


class Agreeable:
    __hash__ = None  # type: ignore[assignment]  # as a class that defines equality has it

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return True


class AgreeableText(str):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class AgreeableList(list[int]):
    def __eq__(self, other: object) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return True


@pytest.mark.parametrize("expected", [None, True, 0, 1.5, "x", b"x", [], [1], (), {}, {1}, decimal.Decimal(1)])
def test_an_object_that_is_equal_to_everything_equals_no_plain_data(side: Side, expected: Any) -> None:
    @program
    def agree(kind: str) -> Any:
        makers: dict[str, Callable[[], Any]] = {
            "object": lambda: Agreeable(),
            "text": lambda: AgreeableText("no"),
            "list": lambda: AgreeableList([9]),
        }
        return makers[kind]()

    for kind in ("object", "text", "list"):
        agreeable = side.run("agree", kind)
        assert agreeable.__eq__(expected) is not True
        assert [agreeable] != [expected]
        assert [expected] != [agreeable]
        assert not agreeable == pytest.approx(0.3)  # noqa: SIM201 - it is this operator, in this order
        assert not agreeable == Handed()  # noqa: SIM201 - as above
    assert 1 not in side.run("agree", "list")
    with pytest.raises(TypeError, match="not supported"):
        _ = side.run("agree", "object") < 5


@pytest.mark.parametrize(
    "message",
    [
        b"not json",
        b"[]",
        b"{}",
        b"[1]",
        b'["answer"]',
        b'["answer", ["list", null], []]',
        b'["answer", ["int", "zz"], []]',
        b'["answer", ["yours", 999], []]',
        b'["answer", ["standard", "os.system"], []]',
        b'["answer", ["standard", "unittest.case.TestCase"], []]',
        b'["answer", ["value", "os.system", ["true"]], []]',
        b'["answer", ["value", "datetime.date", [1]], []]',
        b'["answer", ["container", "os.environ", [], []], []]',
        b'["answer", ["constant", "exit"], []]',
        b'["answer", ["same", 7], []]',
        b'["answer", null, [[5, []]]]',
        b'["raise", 5]',
        b'["raise", ["exception", 1, ["standard", "builtins.int"], [], []]]',
        b"[" * 5000,
        b'["answer", ' + b'["tuple", [' * 900 + b"]]" * 900 + b", []]",
    ],
)
def test_an_answer_that_is_none_is_a_fault_of_the_solution(message: bytes) -> None:
    side = Side()  # nobody serves: the test plays the other side
    side.wire_of_solution.send(PEER, message)
    with pytest.raises((PeerFault, RecursionError)):
        side.bridge.ask_root("echo", 1)
    for descriptor in side.descriptors:
        os.close(descriptor)


def test_when_the_solution_is_gone_every_question_says_so(side: Side) -> None:
    other = Side()
    other.wire_of_solution.send(GONE, b"it ended")
    with pytest.raises(PeerGone, match="it ended"):
        other.bridge.ask_root("echo", 1)
    for descriptor in other.descriptors:
        os.close(descriptor)


def test_a_value_too_large_to_hand_over_is_an_error_of_its_giver(side: Side) -> None:
    with pytest.raises(ValueError, match="too large"):
        side.bridge.ask_root("echo", "x" * (9 * 1024 * 1024))
    assert side.bridge.ask_root("echo", 1) == 1


def test_malformed_data_is_named(side: Side) -> None:
    with pytest.raises(MalformedValue, match="no such kind"):
        side.bridge.decode(["cheese", 1])
