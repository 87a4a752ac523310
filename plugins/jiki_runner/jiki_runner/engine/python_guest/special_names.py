"""The special methods of Python that cross from one interpreter to the other, by what a test may expect of
them.
"""

from __future__ import annotations

#: Answered by plain data itself, never by the solution's object, when one side is plain data (see
#: mirrors.py).
COMPARISONS = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})

_ARITHMETIC = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow")
_BITWISE = ("lshift", "rshift", "and", "or", "xor")

#: Operators: the plain, the reflected and the in-place form.
OPERATORS = frozenset(
    f"__{prefix}{name}__"
    for name in (*_ARITHMETIC, *_BITWISE)
    for prefix in ("", "r", "i")
    if (prefix, name) != ("i", "divmod")
)

#: Everything else that Python looks up on the type and that makes sense from afar.
PROTOCOLS = frozenset(
    f"__{name}__"
    for name in (
        *("repr", "str", "bytes", "format", "hash", "dir", "call", "enter", "exit", "fspath"),
        *("bool", "complex", "int", "float", "index", "round", "trunc", "floor", "ceil"),
        *("len", "length_hint", "getitem", "setitem", "delitem", "contains"),
        *("iter", "next", "reversed", "neg", "pos", "abs", "invert"),
    )
)

FORWARDED = COMPARISONS | OPERATORS | PROTOCOLS
