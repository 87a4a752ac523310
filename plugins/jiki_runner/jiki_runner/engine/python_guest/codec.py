"""Values as JSON-able data and back: plain data by value, everything else as a reference its owner answers
for.

Plain data are exact built-in types and a few immutable or plainly copyable ones of the standard library. An
instance of a subclass is never plain: its methods are somebody's code. Decoding builds nothing but these
types, so data of a hostile peer can at worst be wrong.
"""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False  # importing typing would cost each guest twenty milliseconds; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class References(Protocol):
        """What a codec asks of the bridge about values that do not travel."""

        def encode_reference(self, value: object) -> list[Any]: ...

        def decode_reference(self, data: list[Any]) -> object: ...


class MalformedValue(Exception):
    """The peer sent data that no encoder of ours writes."""


#: Immutable and copyable standard types: qualified name → (constructor's name, constructor's arguments).
_STANDARD_VALUES: dict[str, tuple[str, Callable[[Any], tuple[Any, ...]]]] = {
    "datetime.date": ("date", lambda v: (v.year, v.month, v.day)),
    "datetime.time": ("time", lambda v: (v.hour, v.minute, v.second, v.microsecond, v.tzinfo)),
    "datetime.datetime": (
        "datetime",
        lambda v: (v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, v.tzinfo),
    ),
    "datetime.timedelta": ("timedelta", lambda v: (v.days, v.seconds, v.microseconds)),
    "datetime.timezone": ("timezone", lambda v: tuple(v.__getinitargs__())),
    "decimal.Decimal": ("Decimal", lambda v: (str(v),)),
    "fractions.Fraction": ("Fraction", lambda v: (v.numerator, v.denominator)),
    "uuid.UUID": ("UUID", lambda v: (str(v),)),
    "re.Pattern": ("compile", lambda v: (v.pattern, v.flags)),
    "pathlib.PosixPath": ("PosixPath", lambda v: (str(v),)),
    "pathlib.PurePosixPath": ("PurePosixPath", lambda v: (str(v),)),
}
#: Copyable mutable standard types: qualified name → (arguments, contents).
_STANDARD_CONTAINERS: dict[str, Callable[[Any], tuple[tuple[Any, ...], list[Any]]]] = {
    "collections.Counter": lambda v: ((), [list(pair) for pair in v.items()]),
    "collections.OrderedDict": lambda v: ((), [list(pair) for pair in v.items()]),
    "collections.defaultdict": lambda v: ((v.default_factory,), [list(pair) for pair in v.items()]),
    "collections.deque": lambda v: (((), v.maxlen), list(v)),
    "array.array": lambda v: ((v.typecode,), list(v)),
}
_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
#: Up to here JSON numbers are exact everywhere; longer integers travel in hexadecimal, which has no digit
#: limit.
_EXACT_INTEGER = 1 << 53


def qualified_name(kind: type) -> str:
    """`module.qualname` if that name really leads to this class of the standard library, else an empty
    string.
    """
    module, name = kind.__module__, kind.__qualname__
    if not isinstance(module, str):  # a mirror of a standard class forwards the name, see mirrors.py
        return ""
    if module != "builtins" and module.partition(".")[0] not in sys.stdlib_module_names:
        return ""
    holder: object = sys.modules.get(module)
    for part in name.split("."):
        holder = getattr(holder, part, None)
    return f"{module}.{name}" if holder is kind else ""


#: Modules whose classes both sides know by name: values, exceptions and abstract bases, nothing that acts.
_SHARED_MODULES = frozenset(
    (
        *("builtins", "abc", "numbers", "typing", "io", "_io", "re", "uuid", "json.decoder"),
        *("collections", "collections.abc", "datetime", "decimal", "fractions"),
    )
)


def shared_name(kind: type) -> str:
    """The name by which the peer knows this class of the standard library, or an empty string."""
    name = qualified_name(kind)
    return name if name.rpartition(".")[0] in _SHARED_MODULES else ""


def is_shared_name(name: str) -> bool:
    """Can a class be named like this by the peer?"""
    return name.rpartition(".")[0] in _SHARED_MODULES


class SharedContainers:
    """The mutable containers of one call's arguments: what the callee changes in its copies is put back."""

    def __init__(self) -> None:
        self.containers: list[Any] = []
        self._tokens: dict[int, int] = {}

    def token(self, container: object) -> tuple[int, bool]:
        """(token, is it new) of a container that is being encoded."""
        known = self._tokens.get(id(container))
        if known is not None:
            return known, False
        self._tokens[id(container)] = token = len(self.containers)
        self.containers.append(container)
        return token, True


class ReceivedContainers:
    """The callee's copies of the caller's containers, with what they held on arrival."""

    def __init__(self) -> None:
        self.by_token: dict[int, Any] = {}
        self._before: dict[int, list[Any]] = {}

    def remember(self, token: int | None, container: object) -> None:
        if token is not None:
            self.by_token[token] = container

    def note_contents(self) -> None:
        self._before = {token: _contents(container) for token, container in self.by_token.items()}

    def aliases(self) -> dict[int, int]:
        """id(copy) → token, so that an argument that is returned comes back as the caller's own object."""
        return {id(container): token for token, container in self.by_token.items()}

    def changed(self) -> list[tuple[int, Any]]:
        """The (token, copy) whose contents are no longer the same objects in the same places."""
        return [
            (token, container)
            for token, container in self.by_token.items()
            if not _same_items(self._before[token], _contents(container))
        ]


def _contents(container: Any) -> list[Any]:
    if isinstance(container, dict):
        return [part for pair in container.items() for part in pair]
    return list(container)


def _same_items(before: list[Any], after: list[Any]) -> bool:
    return len(before) == len(after) and all(old is new for old, new in zip(before, after, strict=True))


class Codec:
    """Encodes for, and decodes from, one peer."""

    def __init__(self, references: References) -> None:
        self._references = references

    def encode(self, value: Any, shared: SharedContainers | None = None, aliases: dict[int, int] | None = None) -> Any:
        """JSON-able data for `value`. `shared` collects an argument's containers; `aliases` names those of a
        result.
        """
        kind = type(value)
        if value is None or kind is bool or kind is str or kind is float:
            return value
        if kind is int:
            return value if -_EXACT_INTEGER < value < _EXACT_INTEGER else ["int", hex(value)]
        if aliases and id(value) in aliases:
            return ["same", aliases[id(value)]]

        def each(items: Any) -> list[Any]:
            return [self.encode(item, shared, aliases) for item in items]

        if kind in (tuple, frozenset):
            return [kind.__name__, each(value)]
        if kind in (list, set, dict, bytearray):
            token = None
            if shared is not None:
                token, is_new = shared.token(value)
                if not is_new:
                    return ["same", token]
            if kind is bytearray:
                return ["bytearray", token, value.decode("latin-1")]
            return [
                kind.__name__,
                token,
                each(part for pair in value.items() for part in pair) if kind is dict else each(value),
            ]
        if kind is bytes:
            return ["bytes", value.decode("latin-1")]
        if kind is complex:
            return ["complex", value.real, value.imag]
        if kind in (range, slice):
            return [kind.__name__, each((value.start, value.stop, value.step))]
        if value is Ellipsis or value is NotImplemented:
            return ["constant", str(value)]
        if kind in _VIEWS:
            return [
                "view",
                _VIEWS[kind],
                each(part for pair in value for part in pair) if _VIEWS[kind] == "items" else each(value),
            ]
        return self._encode_standard(value, kind, each) or self._references.encode_reference(value)

    def _encode_standard(self, value: Any, kind: type, each: Callable[[Any], list[Any]]) -> list[Any] | None:
        name = qualified_name(kind)
        if name in _STANDARD_VALUES:
            return ["value", name, each(_STANDARD_VALUES[name][1](value))]
        if name in _STANDARD_CONTAINERS:
            arguments, contents = _STANDARD_CONTAINERS[name](value)
            return ["container", name, each(arguments), each(contents)]
        return None

    def decode(
        self, data: Any, received: ReceivedContainers | None = None, shared: SharedContainers | None = None
    ) -> Any:
        """The value of encoded data. `received` collects an argument's copies; `shared` resolves a result's
        own ones.

        Raises MalformedValue for anything an encoder does not write.
        """
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        try:
            return self._decode_tagged(data, received, shared)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise MalformedValue(f"{type(error).__name__}: {error}") from None

    def _decode_tagged(self, data: Any, received: ReceivedContainers | None, shared: SharedContainers | None) -> Any:
        def each(items: Any) -> list[Any]:
            return [self.decode(item, received, shared) for item in items]

        tag = data[0]
        if tag in ("list", "set", "dict", "bytearray"):
            return self._decode_mutable(data, received, each)
        if tag == "tuple":
            return tuple(each(data[1]))
        if tag == "frozenset":
            return frozenset(each(data[1]))
        if tag == "same":
            if shared is not None:
                return shared.containers[data[1]]
            if received is not None:
                return received.by_token[data[1]]
            raise MalformedValue("a container is named that was never handed over")
        if tag == "int":
            return int(data[1], 16)
        if tag == "bytes":
            return data[1].encode("latin-1")
        if tag == "complex":
            return complex(data[1], data[2])
        if tag == "range":
            return range(*each(data[1]))
        if tag == "slice":
            return slice(*each(data[1]))
        if tag == "constant":
            return {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}[data[1]]
        if tag == "view":
            return _decode_view(data[1], each(data[2]))
        if tag == "value":
            constructor, _ = _STANDARD_VALUES[data[1]]
            return getattr(import_module(data[1].rpartition(".")[0]), constructor)(*each(data[2]))
        if tag == "container":
            return _decode_container(data[1], each(data[2]), each(data[3]))
        return self._references.decode_reference(data)

    def _decode_mutable(self, data: Any, received: ReceivedContainers | None, each: Callable[[Any], list[Any]]) -> Any:
        tag, token, contents = data
        container: Any = {"list": list, "set": set, "dict": dict, "bytearray": bytearray}[tag]()
        if received is not None:
            received.remember(token, container)  # before its contents, which may name it
        if tag == "bytearray":
            container += contents.encode("latin-1")
        else:
            replace_contents(container, each(contents))
        return container


def replace_contents(container: Any, contents: list[Any]) -> None:
    """Make a list, set, dict or bytearray hold exactly `contents` (for a dict: keys and values in turn)."""
    container.clear()
    if isinstance(container, dict):
        container.update(zip(contents[::2], contents[1::2], strict=True))
    elif isinstance(container, set):
        container.update(contents)
    else:
        container.extend(contents)


def flat_contents(container: Any) -> list[Any]:
    """What `replace_contents` takes, of a container."""
    return _contents(container)


def _decode_view(view: str, parts: list[Any]) -> Any:
    if view == "keys":
        return dict.fromkeys(parts).keys()
    if view == "values":
        return dict(enumerate(parts)).values()
    return dict(zip(parts[::2], parts[1::2], strict=True)).items()


def _decode_container(name: str, arguments: list[Any], contents: list[Any]) -> Any:
    if name not in _STANDARD_CONTAINERS:
        raise MalformedValue(f"no such container: {name}")
    module, _, kind = name.rpartition(".")
    container = getattr(import_module(module), kind)(*arguments)
    if hasattr(container, "extend"):
        container.extend(contents)
    else:
        for key, item in contents:
            container[key] = item
    return container
