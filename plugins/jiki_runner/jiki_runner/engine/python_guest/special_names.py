"""The special methods of Python that cross from one interpreter to the other, by what a test may expect of
them.
"""

from __future__ import annotations

#: Answered by plain data itself, never by the solution's object, when one side is plain data (see
#: mirrors.py).
COMPARISONS = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})

_BINARY = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and or xor".split()

#: Operators: the plain, the reflected and the in-place form.
OPERATORS = frozenset(
    f"__{prefix}{name}__"
    for name in _BINARY
    for prefix in ("", "r", "i")
    if (prefix, name) != ("i", "divmod")
)

#: Everything else that Python looks up on the type and that makes sense from afar.
PROTOCOLS = frozenset(
    f"__{name}__"
    for name in (
        "repr str bytes format hash bool len length_hint getitem setitem delitem iter next reversed contains "
        "call enter exit neg pos abs invert complex int float index round trunc floor ceil fspath dir"
    ).split()
)

FORWARDED = COMPARISONS | OPERATORS | PROTOCOLS

#: What every object has from `object`; forwarded only where a class defines its own.
FROM_OBJECT = frozenset(name for name in FORWARDED if hasattr(object, name))
