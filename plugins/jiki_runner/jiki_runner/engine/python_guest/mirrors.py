"""Local stand-ins for classes and objects that live in the other interpreter.

A mirror class has the name, the bases and the special methods of its original, and every use of it becomes a
request. When the bridge is `wary`, the solution's own comparison methods are asked only between two objects
of the solution: one that calls itself equal to everything equals nothing that a test wrote down.
"""

from __future__ import annotations

import sys
import types
from abc import ABCMeta

from .codec import MalformedValue, shared_name
from .special_names import COMPARISONS, FORWARDED

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .bridge import Bridge

#: Immutable data: an instance of a subclass carries its value along and compares and computes as that.
CARRIED: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    str: str.__str__,
    bytes: lambda v: bytes(memoryview(v)),
    tuple: lambda v: tuple(tuple.__iter__(v)),
    frozenset: lambda v: frozenset(frozenset.__iter__(v)),
    complex: lambda v: complex.__add__(v, 0),
}
#: Types without a name of their own in builtins, and others a test may ask isinstance of.
_STAND_INS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        types.FunctionType,
        types.BuiltinFunctionType,
        types.MethodType,
        types.GeneratorType,
        types.CoroutineType,
        types.ModuleType,
        map,
        zip,
        filter,
        enumerate,
        reversed,
        memoryview,
        *(type(iter(kind())) for kind in (list, tuple, str, dict, set, bytes)),
    )
}

#: Mutable data: what an instance of a subclass really holds, whatever its methods say.
COPIED: dict[type, Callable[[Any], Any]] = {
    list: lambda v: list(list.__iter__(v)),
    dict: lambda v: dict(dict.items(v)),
    set: lambda v: set(set.__iter__(v)),
    bytearray: lambda v: bytearray(memoryview(v)),
}


def copied_base(kind: type) -> type | None:
    """The mutable built-in type that instances of `kind` extend, if there is one."""
    return next((base for base in kind.__mro__ if base in COPIED), None)


def carried_base(kind: type) -> type | None:
    """The immutable built-in type whose value instances of `kind` carry, if there is one."""
    return next((base for base in kind.__mro__ if base in CARRIED), None)


def _is_standard(kind: type) -> bool:
    module = kind.__module__
    return isinstance(module, str) and (module == "builtins" or module.partition(".")[0] in sys.stdlib_module_names)


def _says_for_itself(kind: type) -> bool:
    """Is this class in the peer's interpreter as well, with instances that travel whole?"""
    return kind is object or kind in CARRIED or (_is_standard(kind) and issubclass(kind, BaseException))


def describe(kind: type, encode: Callable[[Any], Any], export: Callable[[Any], int]) -> dict[str, Any]:
    """What the peer needs to make a mirror of a class of ours."""
    providers = {name: base for base in reversed(kind.__mro__) for name in FORWARDED if name in base.__dict__}
    methods = {
        name: [getattr(member, "__doc__", None), export(member)]
        for name, member in vars(kind).items()
        if not (name.startswith("__") and name.endswith("__"))
        and isinstance(member, (types.FunctionType, types.MethodDescriptorType))
    }
    return {
        "name": kind.__name__,
        "qualname": kind.__qualname__,
        "module": kind.__module__,
        "doc": kind.__doc__ if isinstance(kind.__doc__, str) else None,
        "bases": [encode(base) for base in kind.__bases__],
        "special": sorted(name for name, provider in providers.items() if not _says_for_itself(provider)),
        "hashable": kind.__hash__ is not None,
        "methods": methods,
        "standard": _is_standard(kind),
    }


class MirrorFactory:
    """Makes the mirror classes of one bridge."""

    def __init__(self, bridge: Bridge, wary: bool) -> None:
        self._bridge = bridge
        self._wary = wary
        self._metaclass = _metaclass(bridge)

    def make_class(self, description: dict[str, Any]) -> type:
        """The mirror of a class of the peer's. A description that nobody of ours wrote raises anything."""
        bases = tuple(base for base in map(self._bridge.decode, description["bases"]) if self._can_be_base(base))
        namespace = self._namespace(description, bases)
        name = str(description["name"])
        try:
            mirror: type = self._metaclass(name, bases, namespace)
        except TypeError:  # bases that only the original's metaclass could join
            mirrors = tuple(base for base in bases if self._is_mirror(base))
            mirror = self._metaclass(name, mirrors, namespace)
        for base in map(self._bridge.decode, description["bases"]):
            if isinstance(base, ABCMeta):
                base.register(mirror)  # isinstance holds, nothing is inherited
        return mirror

    def make_instance(self, kind: type, carried: Any) -> Any:
        base = carried_base(kind)
        if base is not None:
            if type(carried) is not base:
                raise MalformedValue(f"a {base.__name__} carries a {type(carried).__name__}")
            return base.__new__(kind, carried)
        constructor: Any = next(ancestor for ancestor in kind.__mro__ if not self._is_mirror(ancestor))
        return constructor.__new__(kind)

    def make_exception(self, kind: type, arguments: tuple[Any, ...]) -> BaseException:
        if not self._is_mirror(kind):
            try:
                made = kind(*arguments)
                if isinstance(made, BaseException):
                    return made
            except Exception:  # a constructor with a signature of its own; the arguments still show
                pass
        made = kind.__new__(kind, *arguments)
        if not isinstance(made, BaseException):
            raise MalformedValue(f"{kind.__name__} is not an exception")
        BaseException.__setattr__(made, "args", arguments)  # the mirror's own would ask the original
        return made

    def _is_mirror(self, kind: object) -> bool:
        return type(kind) is self._metaclass

    def _can_be_base(self, base: object) -> bool:
        if not isinstance(base, type) or base is object:
            return False
        if self._is_mirror(base) or base in CARRIED or issubclass(base, BaseException):
            return True
        return type(base) is type and shared_name(base) != ""

    def _namespace(self, description: dict[str, Any], bases: tuple[type, ...]) -> dict[str, Any]:
        bridge, read = self._bridge, self._read_attribute
        carries = any(carried_base(base) is not None for base in bases)
        namespace: dict[str, Any] = {
            "__module__": description["module"],
            "__qualname__": description["qualname"],
            "__doc__": description["doc"],
            "__getattr__": lambda self, name: read(self, name),
            "__setattr__": lambda self, name, value: bridge.request("set", self, name, value),
            "__delattr__": lambda self, name: bridge.request("delete", self, name),
            "__dir__": lambda self: bridge.request("special", self, "__dir__", ()),
            "__dict__": property(lambda self: bridge.request("get", self, "__dict__")),
            "__del__": lambda self: None,  # the original's end is not this one's: a file base would close it
        }
        # A standard class as base is there for isinstance; its behaviour is the original's.
        for base in bases:
            if not self._is_mirror(base) and base not in CARRIED and not issubclass(base, BaseException):
                for name in dir(base):
                    if name in FORWARDED and name not in dir(object):
                        namespace[name] = self._special(name)
                    elif not name.startswith("_") and callable(getattr(base, name)):
                        namespace[name] = self._method(name, None, None)
        for name in description["special"]:
            if name in FORWARDED and not (carries and (name in COMPARISONS or name == "__hash__")):
                namespace[name] = self._special(name)
        if not description["hashable"]:
            namespace["__hash__"] = None
        elif "__eq__" in namespace:
            namespace.setdefault("__hash__", object.__hash__)
        for name, (doc, function_number) in description["methods"].items():
            if not (name.startswith("__") and name.endswith("__")):  # those only by way of _special
                namespace.setdefault(name, self._method(name, doc, function_number))
        if description["standard"]:
            self._stand_in(namespace, str(description["module"]), str(description["qualname"]))
        return namespace

    def _read_attribute(self, mirror: Any, name: str) -> Any:
        # What traceback and the bridge itself keep is kept here.
        if name == "__notes__" or name.startswith("jiki_"):
            raise AttributeError(name)
        return self._bridge.request("get", mirror, name)

    def _special(self, name: str) -> Callable[..., Any]:
        bridge = self._bridge
        is_wary = self._wary and name in (*COMPARISONS, "__contains__")

        def forward(self: Any, *arguments: Any) -> Any:
            if is_wary and not all(map(is_mirror, arguments)):
                base = copied_base(type(self))
                if base is not None:
                    return getattr(base, name)(bridge.request("copy", self), *arguments)
                if name in COMPARISONS:
                    return NotImplemented
            return bridge.request("special", self, name, arguments)

        if name == "__call__":
            return lambda self, *arguments, **named: bridge.request("call", self, arguments, named)
        forward.__name__ = name
        return forward

    def _method(self, name: str, doc: str | None, number: int | None) -> Callable[..., Any]:
        bridge = self._bridge

        def forward(self: Any, *arguments: Any, **named: Any) -> Any:
            return bridge.request("invoke", self, name, arguments, named)

        forward.__name__ = forward.__qualname__ = name
        forward.__doc__ = doc
        if number is not None:
            bridge.adopt(number, forward)  # handed back, it is the original again
        return forward

    def _stand_in(self, namespace: dict[str, Any], module: str, name: str) -> None:
        """Let instances of a standard class answer isinstance and keep their own names and documentation."""
        bridge = self._bridge
        kind: object = _STAND_INS.get(name)
        if kind is None and not self._wary:
            kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            namespace["__class__"] = property(lambda self: kind)
        namespace["__doc__"] = property(lambda self: bridge.request("get", self, "__doc__"))
        namespace["__module__"] = property(lambda self: bridge.request("get", self, "__module__"))


def is_mirror(value: object) -> bool:
    """Does this object live in the other interpreter?"""
    return getattr(type(type(value)), "is_mirror_type", False)


def _metaclass(bridge: Bridge) -> Any:
    """The type of mirror classes: what is asked of the class itself is asked of the original class."""

    class MirrorType(type):
        is_mirror_type = True

        def __call__(cls, *arguments: Any, **named: Any) -> Any:
            return bridge.request("call", cls, arguments, named)

        def __getattr__(cls, name: str) -> Any:
            return bridge.request("get", cls, name)

        def __setattr__(cls, name: str, value: Any) -> None:
            bridge.request("set", cls, name, value)

        def __delattr__(cls, name: str) -> None:
            bridge.request("delete", cls, name)

        def __iter__(cls) -> Any:
            return bridge.request("special", cls, "__iter__", ())

        def __len__(cls) -> int:
            return int(bridge.request("special", cls, "__len__", ()))

        def __getitem__(cls, key: Any) -> Any:
            return bridge.request("special", cls, "__getitem__", (key,))

        def __contains__(cls, item: Any) -> bool:
            return bool(bridge.request("special", cls, "__contains__", (item,)))

        def __bool__(cls) -> bool:
            return True

        def __dir__(cls) -> Iterable[str]:
            return list(bridge.request("special", cls, "__dir__", ()))

    return MirrorType
