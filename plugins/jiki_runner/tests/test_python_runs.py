"""Python runs as a learner sees them: each mistake shown as what it is, and what course tests may do."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from jiki_runner.engine import (
    Language,
    Limit,
    Limits,
    Outcome,
    Place,
    Report,
    TestResult,
    TestStatus,
)

pytestmark = pytest.mark.usefixtures("python_engine")

Run = Callable[..., Report]


def unittest_file(*bodies: str, imports: str = "from answer import *") -> str:
    """A test file whose tests have these bodies, each of one or more lines."""
    tests = "\n".join(
        f"    def test_{number}(self):\n" + "\n".join(f"        {line}" for line in body.splitlines())
        for number, body in enumerate(bodies)
    )
    return f"import unittest\n{imports}\n\nclass AnswerTest(unittest.TestCase):\n{tests}\n"


def report_of(run: Run, solution: str, *bodies: str, **more: object) -> Report:
    return run(Language.PYTHON, {"answer.py": solution}, {"answer_test.py": unittest_file(*bodies)}, **more)


def result_of(run: Run, solution: str, body: str, **more: object) -> TestResult:
    (result,) = report_of(run, solution, body, **more).results
    return result


def test_a_syntax_error_is_shown_with_its_line(run: Run) -> None:
    report = report_of(run, "x = 1\ndef answer(:\n    pass\n", "pass")
    assert report.outcome is Outcome.BROKEN
    assert report.breakage is not None
    assert report.breakage.error_type == "SyntaxError"
    assert report.breakage.message == "invalid syntax"
    assert report.breakage.places == (Place("answer.py", 2, "", "def answer(:"),)
    assert report.breakage.column == 12


def test_wrong_indentation_is_a_syntax_error_too(run: Run) -> None:
    report = report_of(run, "def answer():\nreturn 1\n", "pass")
    assert report.breakage is not None
    assert report.breakage.error_type == "IndentationError"
    assert report.breakage.places[-1].line == 2


def test_what_the_top_level_raises_is_shown_with_its_place(run: Run) -> None:
    report = report_of(run, "print('loading')\nnumber = 1\nnumber.missing\n", "pass")
    assert report.outcome is Outcome.BROKEN
    assert report.breakage is not None
    assert report.breakage.message == "AttributeError: 'int' object has no attribute 'missing'"
    assert report.breakage.places == (Place("answer.py", 3, "<module>", "number.missing"),)
    assert report.output == "loading\n"


def test_a_missing_function_is_named(run: Run) -> None:
    report = run(
        Language.PYTHON,
        {"answer.py": "def anser(): pass\n"},
        {"answer_test.py": unittest_file("pass", imports="from answer import answer")},
    )
    assert report.outcome is Outcome.BROKEN
    assert report.breakage is not None
    assert report.breakage.error_type == "ImportError"
    assert "cannot import name 'answer' from 'answer'" in report.breakage.message


def test_a_failing_assertion_has_expected_and_actual(run: Run) -> None:
    result = result_of(run, "def answer(): return [1, 2]", "self.assertEqual(answer(), [1, 3])")
    assert result.status is TestStatus.FAILED
    assert (result.expected, result.actual) == ("[1, 3]", "[1, 2]")
    assert "Lists differ" in result.message
    assert result.test_line == 6


#: assertion, expected, actual; the solution gives back what it is given
ASSERTIONS = [
    ("self.assertEqual(answer(1), 2)", "2", "1"),
    ("self.assertEqual(answer('a'), 'b', msg='no b')", "'b'", "'a'"),
    ("self.assertTrue(answer(0))", "True", "0"),
    ("self.assertIsNone(answer(0))", "None", "0"),
    ("self.assertIs(answer(False), True)", "True", "False"),
    ("self.assertIn(answer(1), [2])", "[2]", "1"),
    ("self.assertAlmostEqual(answer(1.0), 1.1)", "1.1", "1.0"),
    ("self.assertDictEqual(answer({}), {1: 2})", "{1: 2}", "{}"),
    ("self.assertCountEqual(answer([1]), [2])", "[2]", "[1]"),
    ("self.assertGreater(answer(1), 2)", "2", "1"),
    ("assert answer(1) == 2", "2", "1"),
    ("with self.assertRaises(ValueError): answer(1)", "", ""),
    ("self.fail('told so')", "", ""),
]


def test_every_kind_of_assertion_says_what_it_compared(run: Run) -> None:
    report = report_of(run, "def answer(x): return x", *(row[0] for row in ASSERTIONS))
    told = [(row[0], r.expected, r.actual) for row, r in zip(ASSERTIONS, report.results, strict=True)]
    assert told == ASSERTIONS
    assert {r.status for r in report.results} == {TestStatus.FAILED}
    assert all(result.message for result in report.results)


def test_an_exception_is_shown_with_the_learners_lines(run: Run) -> None:
    solution = "def half(n):\n    return n / 0\n\ndef answer():\n    return half(4)\n"
    result = result_of(run, solution, "answer()")
    assert result.status is TestStatus.ERROR
    assert (result.error_type, result.message) == ("ZeroDivisionError", "ZeroDivisionError: division by zero")
    assert result.places == (
        Place("answer.py", 5, "answer", "return half(4)"),
        Place("answer.py", 2, "half", "return n / 0"),
    )


def test_an_exception_of_the_learners_own_is_shown_by_name(run: Run) -> None:
    solution = """
class Overdrawn(Exception):
    def __str__(self): return 'no money'
def answer(): raise Overdrawn
"""
    result = result_of(run, solution, "answer()")
    assert (result.error_type, result.message) == ("Overdrawn", "Overdrawn: no money")


def test_a_time_out_names_the_test_and_keeps_the_results_before_it(run: Run) -> None:
    report = report_of(
        run,
        "def answer(n):\n    print('n is', n)\n    while n: pass\n",
        "answer(0)",
        "answer(1)",
        "answer(0)",
        limits=Limits(wall_clock_seconds=1.0),
    )
    assert report.outcome is Outcome.STOPPED
    assert report.message == "The program took longer than 1 seconds."
    assert [r.status for r in report.results] == [
        TestStatus.PASSED,
        TestStatus.TIMED_OUT,
        TestStatus.NOT_RUN,
    ]
    assert report.results[1].limit is Limit.WALL_CLOCK
    assert report.results[0].output == "n is 0\n"


def test_running_out_of_memory_is_said_to_be_that(run: Run) -> None:
    result = result_of(
        run,
        "def answer():\n    x = [0]\n    while True: x += x\n",
        "answer()",
        limits=Limits(memory_bytes=64 << 20),
    )
    assert result.status is TestStatus.ERROR
    assert result.limit is Limit.MEMORY
    assert result.error_type == "MemoryError"


def test_too_deep_recursion_is_a_mistake_like_others(run: Run) -> None:
    result = result_of(run, "def answer(): return answer()", "answer()")
    assert result.error_type == "RecursionError"
    assert result.places[-1].function == "answer"


def test_output_is_kept_with_its_test_and_cut_at_the_limit(run: Run) -> None:
    report = report_of(
        run,
        "def answer(n):\n    print('x' * n)\n",
        "answer(3)",
        "answer(5000)",
        "answer(4)",
        limits=Limits(output_bytes=1000),
    )
    assert report.outcome is Outcome.PASSED
    assert report.results[0].output == "xxx\n"
    assert len(report.results[1].output) == 996
    assert report.results[2].output == ""
    assert report.limits_hit == {Limit.OUTPUT}


def test_ending_the_program_in_a_test_is_a_mistake_and_the_rest_is_not_run(run: Run) -> None:
    report = report_of(run, "import os\ndef answer(): os._exit(0)", "answer()", "pass")
    assert report.outcome is Outcome.FAILED
    assert "ended itself (exit status 0)" in report.results[0].message
    assert report.results[1].status is TestStatus.NOT_RUN


def test_sub_tests_tell_the_first_failure_and_count_the_others(run: Run) -> None:
    result = result_of(
        run,
        "def answer(n): return n",
        "for n in range(4):\n    with self.subTest('row', n=n):\n        self.assertEqual(answer(n), 0)",
    )
    assert result.status is TestStatus.FAILED
    assert (result.subtest, result.further_failures) == ("[row] (n=1)", 2)
    assert (result.expected, result.actual) == ("0", "1")


def test_a_broken_test_file_is_not_the_learners_fault(run: Run) -> None:
    for tests in (
        "import unittest\nimport answer\nclass T(unittest.TestCase)\n",
        "import answer\nundefined_name\n",
    ):
        report = run(Language.PYTHON, {"answer.py": ""}, {"answer_test.py": tests})
        assert report.outcome is Outcome.FAULT
        assert report.message.startswith("The test file cannot be loaded: ")


def test_a_failing_set_up_of_a_class_fails_its_tests(run: Run) -> None:
    tests = (
        "import unittest, answer\nclass T(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n"
        "        answer.missing()\n    def test_a(self): pass\n    def test_b(self): pass\n"
    )
    report = run(Language.PYTHON, {"answer.py": ""}, {"answer_test.py": tests})
    assert [r.status for r in report.results] == [TestStatus.ERROR, TestStatus.ERROR]
    assert "no attribute 'missing'" in report.results[0].message


def test_a_solution_of_several_modules_and_support_files(run: Run) -> None:
    report = run(
        Language.PYTHON,
        {
            "answer.py": (
                "from parts import half\nfrom table import ROWS\n\n"
                "def answer():\n    return half(ROWS), open('/exercise/words.txt').read()\n"
            ),
            "parts.py": "def half(rows): return rows[:1]\n",
        },
        {
            "answer_test.py": unittest_file(
                "self.assertEqual(answer(), (ROWS[:1], 'one'))",
                imports="from answer import answer\nfrom table import ROWS",
            )
        },
        support={"table.py": "ROWS = [1, 2]\n", "words.txt": "one"},
    )
    assert report.outcome is Outcome.PASSED, report


#: What course tests do to a program: name → (the program, a test of it).
HABITS = {
    "capture what is printed": (
        "def answer(): print('hello')",
        """
        import contextlib, io
        with contextlib.redirect_stdout(io.StringIO()) as out:
            answer()
        self.assertEqual(out.getvalue(), 'hello\\n')
        """,
    ),
    "replace input": (
        "def answer(): return input('name? ')",
        """
        from unittest.mock import patch
        with patch('builtins.input', return_value='Ann') as asked:
            self.assertEqual(answer(), 'Ann')
        asked.assert_called_once_with('name? ')
        """,
    ),
    "replace standard input": (
        "def answer(): return input()",
        """
        import io
        from unittest.mock import patch
        with patch('sys.stdin', io.StringIO('Ann\\nBob\\n')):
            self.assertEqual([answer(), answer()], ['Ann', 'Bob'])
        with self.assertRaises(EOFError):
            answer()
        """,
    ),
    "replace a function of the standard library": (
        "import random\ndef answer(): return random.randint(1, 6)",
        """
        from unittest.mock import patch
        with patch('random.randint', return_value=40):
            self.assertEqual(answer(), 40)
        self.assertIn(answer(), range(1, 7))
        """,
    ),
    "seed the random numbers": (
        "import random\ndef answer(): return random.random()",
        """
        import random
        random.seed(3)
        first = answer()
        random.seed(3)
        self.assertEqual(answer(), first)
        self.assertNotEqual(answer(), first)
        """,
    ),
    "spare the waiting": (
        "import time\ndef answer(): time.sleep(1000); return 1",
        """
        from unittest.mock import patch
        with patch('time.sleep') as slept:
            self.assertEqual(answer(), 1)
        slept.assert_called_with(1000)
        """,
    ),
    "replace a function of the program": (
        "def helper(): return 1\ndef answer(): return helper()",
        """
        from unittest.mock import patch
        with patch('MODULE.helper', return_value=2):
            self.assertEqual(answer(), 2)
        self.assertEqual(answer(), 1)
        """,
    ),
    "replace a method of the program": (
        "class Robot:\n    def name(self): return 'R'\ndef answer(): return Robot().name()",
        """
        import MODULE as module
        from unittest.mock import patch
        with patch.object(module.Robot, 'name', return_value='X'):
            self.assertEqual(answer(), 'X')
        self.assertEqual(answer(), 'R')
        """,
    ),
    "give it a function": (
        "def answer(f, xs): return [f(x) for x in xs]",
        "self.assertEqual(answer(lambda x: x * 2, [1, 2]), [2, 4])",
    ),
    "look at a list it changed": (
        "def answer(xs): xs.sort()",
        """
        xs = [2, 1]
        self.assertIsNone(answer(xs))
        self.assertEqual(xs, [1, 2])
        """,
    ),
    "look at its documentation": (
        "def answer():\n    'Says it.'",
        """
        self.assertEqual(answer.__doc__, 'Says it.')
        self.assertEqual(answer.__name__, 'answer')
        self.assertTrue(callable(answer))
        """,
    ),
    "watch a variable of a module": (
        "answer = 40\ndef more():\n    global answer\n    answer += 2",
        """
        import MODULE as module
        module.more()
        self.assertEqual(module.answer, 42)
        """,
    ),
    "iterate over a generator": (
        "def answer(n):\n    yield from range(n)",
        """
        from collections.abc import Generator
        self.assertIsInstance(answer(2), Generator)
        self.assertEqual(list(answer(2)), [0, 1])
        """,
    ),
}


def test_what_course_tests_do_to_a_program_works(run: Run) -> None:
    solution = {f"answer_{n}.py": program for n, (program, _) in enumerate(HABITS.values())}
    bodies = [
        f"from answer_{n} import answer\n{dedent(body).strip()}".replace("MODULE", f"answer_{n}")
        for n, (_, body) in enumerate(HABITS.values())
    ]
    report = run(Language.PYTHON, solution, {"answer_test.py": unittest_file(*bodies, imports="")})
    failures = {n: r for n, r in zip(HABITS, report.results, strict=True) if r.status is not TestStatus.PASSED}
    assert failures == {}, report


def test_a_bare_test_file_in_pytests_style_works(run: Run) -> None:
    tests = """
import pytest
from answer import answer

@pytest.mark.parametrize('n, half', [(2, 1), (5, 2)])
def test_half(n, half):
    assert answer(n) == half

@pytest.mark.task(taskno=2)
def test_none():
    with pytest.raises(TypeError):
        answer(None)

def test_wrong(capsys):
    assert answer(3) == 2
"""
    report = run(Language.PYTHON, {"answer.py": "def answer(n): return n // 2\n"}, {"test_answer.py": tests})
    assert [(r.test.name, r.test.task, r.status) for r in report.results] == [
        ("test_half[2-1]", None, TestStatus.PASSED),
        ("test_half[5-2]", None, TestStatus.PASSED),
        ("test_none", 2, TestStatus.PASSED),
        ("test_wrong", None, TestStatus.FAILED),
    ]
    assert (report.results[3].expected, report.results[3].actual) == ("2", "1")


def test_all_walls_that_the_system_has_stand_around_a_run(run: Run) -> None:
    report = report_of(run, "def answer(): pass", "answer()")
    assert {"resources", "user"} <= set(report.walls)
