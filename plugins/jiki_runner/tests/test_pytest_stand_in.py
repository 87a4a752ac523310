"""The part of pytest that test files find in the guest, tried out here beside the real one."""

from __future__ import annotations

import sys
import types
import unittest
from collections.abc import Iterator
from typing import Any

import pytest

from jiki_runner.engine.python_guest import pytest_stand_in
from jiki_runner.engine.python_guest.assertions import CHECK_NAME, compile_with_comparisons, fail_check
from jiki_runner.engine.python_guest.collection import FoundTest, find_tests, make_unique


@pytest.fixture
def load() -> Iterator[Any]:
    """`load(source)`: the tests of a test file written for the stand-in."""
    real = sys.modules["pytest"]
    sys.modules["pytest"] = pytest_stand_in.make_module()

    def load_source(source: str) -> list[FoundTest]:
        module = types.ModuleType("sample_test")
        vars(module)[CHECK_NAME] = fail_check
        exec(compile_with_comparisons(source, "sample_test.py"), vars(module))
        tests = find_tests(module, "sample_test.py")
        make_unique(tests)
        return tests

    yield load_source
    sys.modules["pytest"] = real


def outcome(test: FoundTest) -> str:
    result = unittest.TestResult()
    unittest.TestSuite([test.case]).run(result)
    if result.skipped:
        return "skipped"
    if result.errors:
        return "error"
    return "failed" if result.failures else "passed"


def failure(test: FoundTest) -> AssertionError:
    try:
        test.case.debug()
    except AssertionError as error:
        return error
    raise RuntimeError("it passed")


CASES = """
import unittest
import pytest

class LaterTest(unittest.TestCase):
    @pytest.mark.task(taskno=2)
    def test_b(self):
        self.assertEqual(1, 1)

    def test_a(self):
        self.assertEqual(1, 1)

class TestPlain:
    @pytest.fixture
    def number(self):
        return 3

    def test_method(self, number):
        assert number == 3

class Helper:
    def test_nothing(self):
        raise RuntimeError

def test_function():
    assert "a" in "abc"

@pytest.mark.parametrize("n, square", [(1, 1), (2, 4), pytest.param(3, 9, id="three")])
@pytest.mark.parametrize("sign", [1, -1])
def test_table(n, square, sign):
    assert (sign * n) ** 2 == square

@pytest.mark.task(taskno=5)
class TestMarked:
    def test_it(self):
        pass
"""


def test_tests_are_found_in_the_order_of_their_lines(load: Any) -> None:
    tests = load(CASES)
    assert [test.identifier for test in tests] == [
        "LaterTest.test_b",
        "LaterTest.test_a",
        "TestPlain.test_method",
        "test_function",
        *(f"test_table[{sign}-{row}]" for sign in ("1", "-1") for row in ("1-1", "2-4", "three")),
        "TestMarked.test_it",
    ]
    assert {outcome(test) for test in tests} == {"passed"}


def test_tasks_are_known_from_the_mark_of_a_test_or_its_class(load: Any) -> None:
    tasks = {test.name: test.task for test in load(CASES)}
    assert (tasks["test_b"], tasks["test_a"]) == (2, None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("assert 1 == 1", "passed"),
        ("assert 1 == 2", "failed"),
        ("assert not [1]", "failed"),
        ("with pytest.raises(ValueError): int('x')", "passed"),
        ("with pytest.raises(ValueError): pass", "failed"),
        ("with pytest.raises(ValueError): {}[1]", "error"),
        ("with pytest.raises(ValueError, match='invalid literal'): int('x')", "passed"),
        ("with pytest.raises(ValueError, match='nothing like it'): int('x')", "failed"),
        ("with pytest.raises((KeyError, IndexError)): [][1]", "passed"),
        ("pytest.raises(ValueError, int, 'x')", "passed"),
        (
            "with pytest.raises(ValueError) as e: int('x')\n    assert e.value.args and e.match('invalid')",
            "passed",
        ),
        ("assert 0.1 + 0.2 == pytest.approx(0.3)", "passed"),
        ("assert 0.31 == pytest.approx(0.3)", "failed"),
        ("assert 0.31 == pytest.approx(0.3, abs=0.1)", "passed"),
        ("assert 101 == pytest.approx(100, rel=0.1)", "passed"),
        ("assert [0.1 + 0.2, 1] == pytest.approx([0.3, 1])", "passed"),
        ("assert {'a': 0.1 + 0.2} == pytest.approx({'a': 0.3})", "passed"),
        ("assert [0.3] == pytest.approx([0.3, 1])", "failed"),
        ("pytest.skip('not today')", "skipped"),
        ("pytest.fail('no')", "failed"),
        ("pytest.warns(UserWarning)", "error"),
        ("raise RuntimeError", "error"),
    ],
)
def test_a_function_ends_as_it_would_with_pytest(load: Any, body: str, expected: str) -> None:
    (test,) = load(f"import pytest\ndef test_it():\n    {body}\n")
    assert outcome(test) == expected


@pytest.mark.parametrize(
    ("mark", "body", "expected"),
    [
        ("skip", "pass", "skipped"),
        ("skip(reason='later')", "pass", "skipped"),
        ("skipif(True, reason='x')", "assert 0", "skipped"),
        ("skipif(False, reason='x')", "pass", "passed"),
        ("xfail", "assert 0", "passed"),
        ("anything", "pass", "passed"),
    ],
)
def test_marks_do_what_pytests_do(load: Any, mark: str, body: str, expected: str) -> None:
    (test,) = load(f"import pytest\n@pytest.mark.{mark}\ndef test_it():\n    {body}\n")
    assert outcome(test) == expected


FIXTURES = """
import pytest
log = []

@pytest.fixture
def base():
    log.append("up")
    yield 1
    log.append("down")

@pytest.fixture(name="more")
def make_more(base):
    return base + 1

@pytest.fixture(autouse=True)
def always():
    log.append("always")

def test_value(base, more):
    assert (base, more) == (1, 2)
    assert log == ["always", "up"]

def test_torn_down():
    assert log == ["always", "up", "down", "always"]

def test_print(capsys):
    print("hello")
    assert capsys.readouterr().out == "hello\\n"

def test_patch(monkeypatch):
    import random
    monkeypatch.setattr(random, "random", lambda: 7)
    monkeypatch.setattr("random.randint", lambda a, b: 8)
    monkeypatch.setitem(globals(), "extra", 9)
    assert (random.random(), random.randint(1, 2), extra) == (7, 8, 9)

def test_unpatched():
    import random
    assert random.random() < 1 and "extra" not in globals()

def test_unknown(nothing_like_it):
    pass
"""


def test_fixtures_are_made_for_a_test_and_torn_down_after_it(load: Any) -> None:
    assert {test.name: outcome(test) for test in load(FIXTURES)} == {
        "test_value": "passed",
        "test_torn_down": "passed",
        "test_print": "passed",
        "test_patch": "passed",
        "test_unpatched": "passed",
        "test_unknown": "error",
    }


@pytest.mark.parametrize(
    ("statement", "expected", "actual", "message"),
    [
        ("assert [1] == [2]", "[2]", "[1]", "assert [1] == [2]"),
        ("assert 3 < 2", "< 2", "3", "assert 3 < 2"),
        ("assert 'x' not in 'xyz', 'it is there'", "not in 'xyz'", "'x'", "it is there"),
        ("assert None is not None", "is not None", "None", "assert None is not None"),
    ],
)
def test_a_bare_assert_says_what_it_compared(
    load: Any, statement: str, expected: str, actual: str, message: str
) -> None:
    (test,) = load(f"def test_it():\n    if True:\n        {statement}\n")
    error = failure(test)
    assert (error.jiki_comparison, str(error)) == ((expected, actual), message)  # type: ignore[attr-defined]  # set on it


def test_tests_of_one_name_are_told_apart(load: Any) -> None:
    source = "import pytest\n@pytest.mark.parametrize('x', [[1], [1]])\ndef test_it(x):\n    pass\n"
    assert len({test.identifier for test in load(source)}) == 2
