"""`Channel`, the base class of what a plugin does on a socket: who may subscribe, what streams, what may be
performed.

    class ExerciseChannel(Channel):
        permission = "learning.learn"
        Params = ExerciseParams                       # a frozen dataclass; self.params is one of these
        truth = "GET /api/v1/internal/user_lessons/{slug}"

        def subscribed(self) -> None:
            self.stream_from(f"exercise/{self.params.id}/{self.user_id}")

        @action
        def run_tests(self, data: Mapping[str, Any]) -> None: ...

Each of these methods runs in a fresh app context with a unit of work of its own (`self.uow`), which is
committed when it returns. What it says (`transmit`) leaves after the commit, and not at all when it raises. It runs again
when its transaction met another one, so it must have no effect outside PostgreSQL but through `self.uow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from jiki_core.cable.broadcast import check_stream, encode_message, user_stream
from jiki_core.cable.parameters import NoParams, parse
from jiki_core.cable.rates import Rate

if TYPE_CHECKING:  # types only: channels that touch no rows need no database
    from jiki_core.db import UnitOfWork
    from jiki_core.security import Identity

Method = TypeVar("Method", bound=Callable[..., None])
_MARK = "__jiki_cable_action__"


@dataclass(frozen=True, slots=True)
class Action:
    """A method that clients may call by name; `payload` is the dataclass its argument is, None for a plain
    mapping."""

    name: str
    payload: type[Any] | None = None


@overload
def action(method: Method, /) -> Method: ...
@overload
def action(*, payload: type[Any]) -> Callable[[Method], Method]: ...
def action(method: Method | None = None, /, *, payload: type[Any] | None = None) -> Any:
    """Marks a channel's method as callable by clients. It gets one argument: the data they sent, or, with
    `payload=SomeDataclass`, an instance of it after checking. A method named `receive` gets data without an
    action."""

    def mark(marked: Method) -> Method:
        setattr(marked, _MARK, Action(marked.__name__, payload))
        return marked

    return mark(method) if method is not None else mark


@dataclass(slots=True)
class Effects:
    """What a channel's method asked for; it happens after its commit."""

    transmissions: list[bytes] = field(default_factory=list)
    streams: dict[str, None] = field(default_factory=dict)
    stopped: dict[str, None] = field(default_factory=dict)
    stops_all: bool = False
    is_rejected: bool = False
    whisper_stream: str | None = None
    presence_stream: str | None = None
    presence_id: str | None = None


class Channel:
    """One instance per subscription, from its `subscribed` to its `unsubscribed`. Never called by two
    threads."""

    #: what clients put into the identifier; the class's name when empty
    name: ClassVar[str] = ""
    #: required to subscribe; None lets every signed-in user
    permission: ClassVar[str | None] = None
    #: a frozen dataclass of what the identifier carries besides `channel`
    Params: ClassVar[type[Any]] = NoParams
    #: how often a subscription may perform; more is answered `{"error":{"type":"rate_limited"}}`
    rate: ClassVar[Rate] = Rate(10, per_seconds=1.0, burst=20)
    #: the REST read that gives the state which messages only update; a client reloads it after
    #: `reject_history`
    truth: ClassVar[str] = ""
    #: message kinds for the documentation: name → frozen dataclass
    sends: ClassVar[Mapping[str, type[Any]]] = {}
    #: marked methods by name, collected from the class
    actions: ClassVar[Mapping[str, Action]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__
        found: dict[str, Action] = {}
        for base in reversed(cls.__mro__):
            for value in vars(base).values():
                marked = getattr(value, _MARK, None)
                if isinstance(marked, Action):
                    found[marked.name] = marked
        cls.actions = found

    def __init__(self, identity: Identity, sid: str, params: Any, *, is_restored: bool) -> None:
        #: who subscribed
        self.identity = identity
        #: the socket's id, for `exclude_socket` of a broadcast
        self.sid = sid
        #: an instance of `Params`
        self.params = params
        #: its client goes on as before: no need to send it a first state again
        self.is_restored = is_restored
        self._effects: Effects | None = None
        self._uow: UnitOfWork | None = None

    # For authors to define

    def subscribed(self) -> None:
        """Called on subscribe, and again (then `is_restored`, on a new instance) when a session is restored, and about once
        a second of somebody who whispers: names the streams, or rejects."""

    def unsubscribed(self) -> None:
        """Called when the client leaves or its socket ends; nothing can be sent any more."""

    # For authors to call, within these methods and actions

    @property
    def user_id(self) -> int:
        return self.identity.user_id

    @property
    def uow(self) -> UnitOfWork:
        """The unit of work of the method that runs."""
        if self._uow is None:
            raise RuntimeError(self._outside("uow"))
        return self._uow

    def stream_from(self, stream: str) -> None:
        """Every message of the stream goes to this subscription. Raises ValueError for an impossible name."""
        check_stream(stream)
        self._asked("stream_from").streams[stream] = None

    def stream_for_user(self, topic: str) -> None:
        """Streams the user's own share of a topic, `<topic>/<user_id>`."""
        self.stream_from(user_stream(topic, self.user_id))

    def stop_stream_from(self, stream: str) -> None:
        """Ends one stream of this subscription, and its whispers and presence."""
        self._asked("stop_stream_from").stopped[stream] = None

    def stop_all_streams(self) -> None:
        """Ends all streams of this subscription, whispers and presence, but those that the same method asks for."""
        self._asked("stop_all_streams").stops_all = True

    def reject(self) -> None:
        """Refuses the subscription; for `subscribed` only."""
        self._asked("reject").is_rejected = True

    def transmit(self, message: Mapping[str, Any]) -> None:
        """Sends a message to this subscription alone. Raises ValueError for one that clients would drop."""
        self._asked("transmit").transmissions.append(encode_message(message))

    def allow_whisper(self, stream: str) -> None:
        """Lets clients of this stream send each other messages that nobody here looks at, for as long as `subscribed` would
        let them in."""
        check_stream(stream)
        self._asked("allow_whisper").whisper_stream = stream

    def allow_presence(self, stream: str, *, presence_id: str | None = None) -> None:
        """Lets clients of this stream join and see who is there; `presence_id` is theirs instead of what they
        say."""
        check_stream(stream)
        effects = self._asked("allow_presence")
        effects.presence_stream, effects.presence_id = stream, presence_id

    # For the dispatcher

    def run(self, uow: UnitOfWork | None, method: Callable[[], None]) -> Effects:
        """Calls one of the methods above within a unit of work and returns what it asked for."""
        self._uow, self._effects = uow, Effects()
        try:
            method()
            return self._effects
        finally:
            self._uow = self._effects = None

    def perform(self, name: str, data: Mapping[str, Any]) -> Callable[[], None]:
        """The action as a call. Raises KeyError for one that is not marked, ValidationFailed for a wrong
        payload."""
        found = self.actions[name]
        argument = data if found.payload is None else parse(found.payload, data)
        method = getattr(self, found.name)
        return lambda: method(argument)

    def _asked(self, what: str) -> Effects:
        if self._effects is None:
            raise RuntimeError(self._outside(what))
        return self._effects

    def _outside(self, what: str) -> str:
        return (
            f"{type(self).__qualname__}.{what} outside subscribed, unsubscribed and actions: "
            "from elsewhere send with uow.broadcast(stream, message)"
        )
