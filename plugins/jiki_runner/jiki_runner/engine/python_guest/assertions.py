"""What a failing assertion compared: expected and actual for unittest's methods and for the bare `assert` of
pytest.

Follows the course's convention: the first argument is what the solution gave, the second what the test
expects.
"""

from __future__ import annotations

import ast
import unittest

from .mirrors import is_mirror

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: A representation longer than this is cut: it is read by a person.
MAXIMUM_TEXT = 2000

_BINARY_METHODS = (
    *("assertEqual", "assertIs", "assertIn", "assertIsInstance", "assertRegex", "assertCountEqual"),
    *("assertLess", "assertLessEqual", "assertGreater", "assertGreaterEqual", "assertAlmostEqual"),
    *("assertMultiLineEqual", "assertSequenceEqual", "assertListEqual", "assertTupleEqual"),
    *("assertSetEqual", "assertDictEqual"),
)
_UNARY_METHODS = {"assertTrue": "True", "assertFalse": "False", "assertIsNone": "None"}


def clip(text: str) -> str:
    """`text`, cut in the middle of a sentence if it must be."""
    return text if len(text) <= MAXIMUM_TEXT else text[: MAXIMUM_TEXT - 1] + "…"


def show(value: object) -> str:
    """repr(value) that survives a __repr__ of the solution's which does not work."""
    try:
        return clip(repr(value))
    except BaseException as error:  # the solution's __repr__ can raise what it likes, or end the solution
        return f"<its __repr__ raised {type(error).__name__}>"


def note_comparison(error: BaseException, expected: str, actual: str) -> None:
    """Remember on a failure what was compared; the innermost comparison is the one that tells most."""
    if not hasattr(error, "jiki_comparison"):
        BaseException.__setattr__(error, "jiki_comparison", (expected, actual))


def install() -> None:
    """Make unittest's assertion methods note what they compared."""
    case = unittest.TestCase
    for name in _BINARY_METHODS:
        setattr(
            case,
            name,
            _noting(getattr(case, name), lambda actual, expected, *rest: (show(expected), show(actual))),
        )
    for name, expected_text in _UNARY_METHODS.items():
        setattr(
            case,
            name,
            _noting(getattr(case, name), lambda actual, *rest, text=expected_text: (text, show(actual))),
        )
    for name in ("assertAlmostEqual", "assertNotAlmostEqual"):
        setattr(case, name, _numbers_only(getattr(case, name)))


def _noting(method: Callable[..., Any], compared: Callable[..., tuple[str, str]]) -> Callable[..., Any]:
    def assertion(self: unittest.TestCase, *arguments: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        try:
            return method(self, *arguments, **named)
        except self.failureException as error:
            if len(arguments) >= 1:
                note_comparison(error, *_compared(compared, arguments))
            raise

    assertion.__name__ = method.__name__
    assertion.__doc__ = method.__doc__
    return assertion


def _compared(compared: Callable[..., tuple[str, str]], arguments: tuple[Any, ...]) -> tuple[str, str]:
    try:
        return compared(*arguments)
    except TypeError:  # the second was given by name
        return ("", show(arguments[0]))


def _numbers_only(method: Callable[..., Any]) -> Callable[..., Any]:
    """Nearness is a subtraction: no object of the solution is asked for one from a test's own."""

    def assertion(self: unittest.TestCase, first: Any, second: Any, *rest: Any, **named: Any) -> Any:
        if is_mirror(first) != is_mirror(second):
            error = self.failureException(f"{show(first)} is not a number to compare with {show(second)}")
            note_comparison(error, show(second), show(first))
            raise error
        return method(self, first, second, *rest, **named)

    assertion.__name__ = method.__name__
    assertion.__doc__ = method.__doc__
    return assertion


_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
CHECK_NAME = "__jiki_check__"


class _BareAsserts(ast.NodeTransformer):
    """`assert a == b, m` becomes `left = a`, `right = b`, `if not left == right: __jiki_check__(…)`."""

    def __init__(self) -> None:
        self._count = 0

    def visit_Assert(self, node: ast.Assert) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        test = node.test
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return node
        self._count += 1
        left, right = f"__jiki_left_{self._count}", f"__jiki_right_{self._count}"

        def load(name: str) -> ast.expr:
            return ast.Name(name, ast.Load())

        statements: list[ast.stmt] = [
            ast.Assign([ast.Name(left, ast.Store())], test.left),
            ast.Assign([ast.Name(right, ast.Store())], test.comparators[0]),
            ast.If(
                ast.UnaryOp(ast.Not(), ast.Compare(load(left), test.ops, [load(right)])),
                [
                    ast.Expr(
                        ast.Call(
                            load(CHECK_NAME),
                            [
                                load(left),
                                load(right),
                                ast.Constant(_COMPARISONS[type(test.ops[0])]),
                                node.msg or ast.Constant(None),
                            ],
                            [],
                        )
                    )
                ],
                [],
            ),
        ]
        for statement in statements:
            ast.copy_location(statement, node)
            ast.fix_missing_locations(statement)
        return statements


def compile_with_comparisons(source: str, filename: str) -> Any:
    """Compile a test file so that its bare asserts say what they compared. Raises SyntaxError."""
    tree = _BareAsserts().visit(ast.parse(source, filename))
    return compile(tree, filename, "exec", dont_inherit=True)


def fail_check(left: Any, right: Any, operator: str, message: Any) -> None:
    """What a rewritten assert calls when its comparison does not hold."""
    actual, expected = show(left), show(right)
    error = AssertionError(str(message) if message is not None else f"assert {actual} {operator} {expected}")
    note_comparison(error, expected if operator == "==" else f"{operator} {expected}", actual)
    raise error
