"""Requests between two interpreters: each side calls, reads and changes the objects of the other as if they
were here.

Calls nest: while one side waits for an answer it serves what the other asks (a callback, a fake file's
method). What may be asked is the guard's to say: the solution's side lets the tests do everything, the tests'
side nearly nothing.
"""

from __future__ import annotations

import json
import types
from importlib import import_module

from .codec import (
    Codec,
    MalformedValue,
    ReceivedContainers,
    SharedContainers,
    flat_contents,
    replace_contents,
    shared_name,
)
from .mirrors import CARRIED, COPIED, MirrorFactory, carried_base, copied_base, describe
from .special_names import FORWARDED
from .wire import GONE, PEER

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .guard import Guard
    from .wire import Wire

#: Deeper than this, an exception's list of places says nothing new.
MAXIMUM_PLACES = 12


class PeerGone(BaseException):
    """The other interpreter has ended. A BaseException: a test's `except Exception` must not swallow it."""


class PeerFault(Exception):
    """The other interpreter answered with something that is not an answer."""


class Bridge:
    """One side of the line, with the objects it has handed out and the mirrors of those it was given.

    `root` is what the peer may use from the start; it is number 0 on both sides. `own_folder` is where the
    files are whose lines an exception's places name. `before_request` runs before each request that this side
    makes.
    """

    def __init__(self, wire: Wire, root: object, guard: Guard, own_folder: str) -> None:
        self._wire = wire
        self._guard = guard
        self._own_folder = own_folder
        self._codec = Codec(self)
        self._mirrors = MirrorFactory(self, wary=guard.is_wary)
        self._exported: dict[int, Any] = {0: root}
        self._numbers: dict[int, int] = {id(root): 0}
        #: What the peer was handed as a value, and so may use; what it was only told of (the class of such a
        #: value) it may name, but not use.
        self._handed_over: set[int] = {0}
        self._adopted: dict[int, Any] = {}
        self._adopted_numbers: dict[int, int] = {}
        self._alive: list[object] = []  # an id is a name only as long as its object lives
        self._servants: dict[str, Callable[..., Any]] = {
            "describe": self._serve_describe,
            "get": self._serve_get,
            "set": self._serve_set,
            "delete": self._serve_delete,
            "call": self._serve_call,
            "invoke": self._serve_invoke,
            "special": self._serve_special,
            "copy": self._serve_copy,
        }
        #: The first assertion that failed while this side answered a request: whoever asked may swallow it.
        self.failure_in_callback: AssertionError | None = None
        self.before_request: Callable[[], None] = lambda: None
        self.before_answer: Callable[[], None] = lambda: None

    # --- asking ---

    def request(self, operation: str, *operands: Any) -> Any:
        """Ask the peer and wait for its answer. Raises what it raised, PeerGone, or PeerFault."""
        self.before_request()
        shared = SharedContainers()
        encoded = [self._codec.encode(operand, shared) for operand in operands]
        self._send([operation, *encoded])
        while True:
            message = self._receive()
            try:
                verb = message[0]
                if verb == "answer":
                    _, result, changes = message
                    self._restore(shared, changes)
                    return self._codec.decode(result, shared=shared)
                if verb == "raise":
                    raised = self._codec.decode(message[1])
                elif verb not in self._servants:
                    raise MalformedValue(f"no such message: {verb!r}")
            except (MalformedValue, LookupError, TypeError, ValueError, RecursionError) as error:
                raise PeerFault(f"an answer could not be read: {error}") from None
            if verb == "raise":
                if not isinstance(raised, BaseException):
                    raise PeerFault("something was raised that is not an exception")
                raise raised
            self._serve(message)

    def ask_root(self, method: str, *arguments: Any) -> Any:
        """Call a method of the peer's root object."""
        return self.request("invoke", _PeerRoot(), method, arguments, {})

    def _restore(self, shared: SharedContainers, changes: Any) -> None:
        for token, contents in changes:
            replaced = [self._codec.decode(item, shared=shared) for item in contents]
            replace_contents(shared.containers[token], replaced)

    # --- answering ---

    def serve_forever(self) -> None:
        """Answer until the peer is gone."""
        while True:
            try:
                self._serve(self._receive())
            except PeerGone:
                return

    def _serve(self, message: Any) -> None:
        try:
            answer = self._answer(message)
        except PeerGone:
            raise
        except BaseException as error:  # whatever it is, it belongs to the one who asked
            if isinstance(error, AssertionError) and id(error) not in self._adopted_numbers:
                self.failure_in_callback = self.failure_in_callback or error
            answer = ["raise", self._encode_exception(error)]
        self.before_answer()
        try:
            self._send(answer)
        except (ValueError, RecursionError) as error:
            self._send(["raise", self._encode_exception(error)])

    def _answer(self, message: Any) -> list[Any]:
        received = ReceivedContainers()
        try:
            servant = self._servants[message[0]]
            if self._guard.is_wary and message[0] != "describe":
                self._check_target(message[1])
            operands = [self._codec.decode(operand, received) for operand in message[1:]]
        except (LookupError, TypeError, ValueError, ImportError, AttributeError, MalformedValue) as error:
            raise PeerFault(f"a request could not be read: {error}") from None
        received.note_contents()
        result = servant(*operands)
        aliases = received.aliases()
        changes = [
            [token, [self._codec.encode(item, aliases=aliases) for item in flat_contents(container)]]
            for token, container in received.changed()
        ]
        return ["answer", self._codec.encode(result, aliases=aliases), changes]

    def _check_target(self, data: Any) -> None:
        """A wary side acts only on what it handed over itself: not on the peer's data, whose methods would
        run here, nor on standard classes, which open files.
        """
        if not isinstance(data, list) or data[0] != "yours" or data[1] not in self._handed_over:
            raise PeerFault("only what was handed over can be used")

    def _serve_describe(self, number: int) -> str:
        kind = self._exported[number]
        if not isinstance(kind, type):
            raise PeerFault(f"object {number} is not a class")
        return json.dumps(describe(kind, self._name_class, self.export))

    def _serve_get(self, target: Any, name: str) -> Any:
        self._guard.check_reading(target, name)
        return getattr(target, name)

    def _serve_set(self, target: Any, name: str, value: Any) -> None:
        self._guard.check_changing(target, name)
        setattr(target, name, value)

    def _serve_delete(self, target: Any, name: str) -> None:
        self._guard.check_changing(target, name)
        delattr(target, name)

    def _serve_call(self, target: Any, arguments: Any, named: dict[str, Any]) -> Any:
        self._guard.check_calling(target)
        return target(*arguments, **named)

    def _serve_invoke(self, target: Any, name: str, arguments: Any, named: dict[str, Any]) -> Any:
        self._guard.check_reading(target, name)
        return getattr(target, name)(*arguments, **named)

    def _serve_special(self, target: Any, name: str, arguments: Any) -> Any:
        if name not in FORWARDED:
            raise PeerFault(f"{name} is not for others to call")
        kind = type(target)
        for base in kind.__mro__:  # looked up on the type and bound by hand, as the interpreter does it
            if name in base.__dict__:
                method = base.__dict__[name]
                bind = getattr(type(method), "__get__", None)
                return (method if bind is None else bind(method, target, kind))(*arguments)
        raise TypeError(f"{kind.__name__!r} object does not support {name}")

    def _serve_copy(self, target: Any) -> Any:
        base = copied_base(type(target))
        if base is None:
            raise PeerFault("only a subclass of a mutable built-in type can be copied")
        return COPIED[base](target)

    # --- references: the codec's way to what does not travel ---

    def export(self, value: object) -> int:
        """The number under which the peer may use `value` from now on; it is kept alive."""
        number = self._numbers.get(id(value))
        if number is None:
            self._numbers[id(value)] = number = len(self._exported)
            self._exported[number] = value
        return number

    def adopt(self, number: int, mirror: object) -> None:
        """Note that `mirror` stands for the peer's object `number`."""
        self._adopted.setdefault(number, mirror)
        self._alive.append(mirror)
        self._adopted_numbers[id(mirror)] = number

    def encode_reference(self, value: Any) -> list[Any]:
        if isinstance(value, _PeerRoot):
            return ["yours", 0]
        number = self._adopted_numbers.get(id(value))
        if number is not None:
            return ["yours", number]
        if isinstance(value, BaseException):
            return self._encode_exception(value)
        if isinstance(value, type):
            named = self._name_class(value)
            if named[0] == "class":
                self._handed_over.add(named[1])
            return named
        if isinstance(value, types.TracebackType):
            return ["nothing"]  # the third argument of __exit__: the other side has its own, or none
        self._guard.check_handing_over(value)
        name = self._guard.standard_name(value)
        if name:
            return ["standard", name]
        kind = type(value)
        number = self.export(value)
        self._handed_over.add(number)
        reference = ["object", number, self.export(kind)]
        base = carried_base(kind)
        if base is not None:
            reference.append(self._codec.encode(CARRIED[base](value)))
        return reference

    def _name_class(self, kind: type) -> list[Any]:
        number = self._adopted_numbers.get(id(kind))
        if number is not None:
            return ["yours", number]
        name = shared_name(kind)
        return ["standard", name] if name else ["class", self.export(kind)]

    def decode_reference(self, data: list[Any]) -> Any:
        tag = data[0]
        if tag == "yours":
            return self._exported[data[1]]
        if tag == "nothing":
            return None
        if tag == "standard":
            return self._guard.resolve_standard(data[1])
        if tag not in ("class", "object", "exception"):
            raise MalformedValue(f"no such kind of value: {tag!r}")
        number = int(data[1])
        if number not in self._adopted:
            self.adopt(number, self._make_mirror(tag, data))
        return self._adopted[number]

    def _make_mirror(self, tag: str, data: list[Any]) -> Any:
        if tag == "class":
            return self._mirrors.make_class(json.loads(self.request("describe", data[1])))
        if tag == "object":
            kind = self.decode(["class", data[2]])
            return self._mirrors.make_instance(kind, self._codec.decode(data[3]) if len(data) > 3 else None)
        _, _, kind_data, arguments, places = data
        kind = self._guard.raisable(self.decode(kind_data))
        error = self._mirrors.make_exception(kind, tuple(map(self._codec.decode, arguments)))
        BaseException.__setattr__(error, "jiki_places", [(str(f), int(n), str(w)) for f, n, w in places])
        return error

    def decode(self, data: Any) -> Any:
        """The value of encoded data that is not part of a call."""
        return self._codec.decode(data)

    def _encode_exception(self, error: BaseException) -> list[Any]:
        number = self._adopted_numbers.get(id(error))
        if number is not None:
            return ["yours", number]
        arguments = []
        for argument in error.args:
            try:
                arguments.append(self._codec.encode(argument))
            except Exception:  # an argument that cannot travel still shows as text
                arguments.append(repr(argument))
        number = self.export(error)
        self._handed_over.add(number)
        return ["exception", number, self._name_class(type(error)), arguments, self._places(error)]

    def _places(self, error: BaseException) -> list[list[Any]]:
        """Where it was raised, outermost first: [file, line, function] in this side's own files."""
        places = []
        step = error.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            if code.co_filename.startswith(self._own_folder):
                places.append([code.co_filename[len(self._own_folder) :], step.tb_lineno, code.co_qualname])
            step = step.tb_next
        return places[-MAXIMUM_PLACES:]

    # --- the line ---

    def _send(self, message: list[Any]) -> None:
        self._wire.send(PEER, json.dumps(message).encode())

    def _receive(self) -> Any:
        kind, payload = self._wire.receive()
        if kind == GONE:
            raise PeerGone(payload.decode("utf-8", "replace"))
        try:
            return json.loads(payload)
        except (ValueError, RecursionError):
            raise PeerFault("a message is not JSON") from None


class _PeerRoot:
    """Names the peer's root object in a request."""


def resolve(name: str) -> Any:
    """The object of the standard library called `module.qualname`. Raises AttributeError or ImportError."""
    parts = name.split(".")
    found: Any = import_module(parts[0])
    for depth, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            import_module(".".join(parts[:depth]))
        found = getattr(found, part)
    return found
