"""What a plugin's author may write, and what is refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from jiki_core.cable import Channel, ChannelRegistry, Registered, action, cable_document, channel_mistakes
from jiki_core.cable.notifications import NotificationsChannel
from jiki_core.cable.pubsub import signed_stream_channel
from jiki_core.cable.registry import UnknownChannel
from jiki_core.errors import ValidationFailed
from jiki_core.security import Identity


@dataclass(frozen=True)
class RoomParams:
    id: int


@dataclass(frozen=True)
class Line:
    """Somebody said something."""

    text: str


class RoomChannel(Channel):
    """A room in which people talk."""

    permission = "rooms.enter"
    Params = RoomParams
    truth = "GET /api/v1/internal/rooms/{id}"
    sends: ClassVar = {"line": Line}

    def subscribed(self) -> None:
        self.stream_from(f"room/{self.params.id}")

    @action
    def clear(self, data: Mapping[str, Any]) -> None:
        """Empties the room."""

    @action(payload=Line)
    def say(self, line: Line) -> None:
        self.transmit({"said": line.text})

    def hidden(self, data: Mapping[str, Any]) -> None: ...


def _channel() -> RoomChannel:
    return RoomChannel(Identity(42, "session"), "sid", RoomParams(7), is_restored=False)


def test_only_marked_methods_are_actions() -> None:
    assert set(RoomChannel.actions) == {"clear", "say"}
    with pytest.raises(KeyError):
        _channel().perform("hidden", {})
    with pytest.raises(KeyError):
        _channel().perform("subscribed", {})


def test_the_name_is_the_classs_unless_it_says_otherwise() -> None:
    assert RoomChannel.name == "RoomChannel"

    class Named(RoomChannel):
        name = "room"

    class Heir(Named):
        pass

    assert (Named.name, Heir.name) == ("room", "Heir")
    assert set(Heir.actions) == {"clear", "say"}


def test_what_a_method_asks_for_is_given_back_in_order() -> None:
    channel = _channel()
    effects = channel.run(None, channel.subscribed)
    assert list(effects.streams) == ["room/7"]
    effects = channel.run(None, channel.perform("say", {"text": "hello"}))
    assert effects.transmissions == [b'{"said":"hello"}']


def test_a_wrong_payload_is_refused_before_the_action_runs() -> None:
    with pytest.raises(ValidationFailed):
        _channel().perform("say", {"text": 7})


@pytest.mark.parametrize(
    "call",
    [
        lambda channel: channel.stream_from("a"),
        lambda channel: channel.transmit({"a": 1}),
        lambda channel: channel.reject(),
        lambda channel: channel.uow,
    ],
)
def test_calls_from_outside_are_refused_with_the_way_in(call: Any) -> None:
    with pytest.raises(RuntimeError, match=r"uow\.broadcast"):
        call(_channel())


@pytest.mark.parametrize("message", [{}, [], None])
def test_a_message_that_clients_drop_is_refused(message: Any) -> None:
    channel = _channel()
    with pytest.raises(ValueError, match="object"):
        channel.run(None, lambda: channel.transmit(message))


class Untrue(Channel):
    pass


class Builder(Channel):
    truth = "GET /x"

    def __init__(self) -> None: ...


class Hiding(Channel):
    truth = "GET /x"

    @action
    def reject(self, data: Mapping[str, Any]) -> None: ...  # type: ignore[override]  # the mistake


class Untyped(Channel):
    truth = "GET /x"
    Params = dict


@pytest.mark.parametrize(
    ("channel", "sentence"),
    [
        (Untrue, "does not say what restores its truth"),
        (Builder, "defines __init__"),
        (Hiding, "the action reject hides Channel.reject"),
        (Untyped, "must be a dataclass"),
        (Channel, "is not a subclass"),
        (object, "is not a subclass"),
        ("RoomChannel", "is not a subclass"),
    ],
)
def test_a_channel_that_cannot_work_is_explained(channel: Any, sentence: str) -> None:
    assert any(sentence in mistake for mistake in channel_mistakes(channel))


@pytest.mark.parametrize("channel", [RoomChannel, NotificationsChannel, signed_stream_channel("s" * 32)])
def test_a_good_channel_has_no_mistakes(channel: Any) -> None:
    assert channel_mistakes(channel) == []


def test_a_name_claimed_twice_is_refused_naming_both_plugins() -> None:
    with pytest.raises(ValueError, match="RoomChannel is claimed by rooms and chat"):
        ChannelRegistry([Registered("rooms", RoomChannel), Registered("chat", RoomChannel)])


@pytest.mark.parametrize(
    ("identifier", "error"),
    [
        ("", UnknownChannel),
        ("RoomChannel", UnknownChannel),
        ("[]", UnknownChannel),
        ("{}", UnknownChannel),
        ('{"channel":7}', UnknownChannel),
        ('{"channel":"Channel"}', UnknownChannel),
        ('{"channel":"RoomChannel"}', ValidationFailed),
        ('{"channel":"RoomChannel","id":"7"}', ValidationFailed),
        ('{"channel":"RoomChannel","id":7,"more":1}', ValidationFailed),
    ],
)
def test_an_identifier_that_fits_no_channel_is_refused(identifier: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ChannelRegistry([Registered("rooms", RoomChannel)]).resolve(identifier)


def test_an_identifier_gives_the_channel_and_typed_parameters() -> None:
    registered, params = ChannelRegistry([Registered("rooms", RoomChannel)]).resolve('{"id":7,"channel":"RoomChannel"}')
    assert registered == Registered("rooms", RoomChannel)
    assert params == RoomParams(7)


def test_the_document_describes_every_channel() -> None:
    registry = ChannelRegistry(
        [
            Registered("core", NotificationsChannel),
            Registered("rooms", RoomChannel),
            Registered("core", signed_stream_channel("s" * 32)),
        ]
    )
    document = cable_document(registry, title="Jiki", version="1", url="wss://api.jiki.example/cable")
    assert document["asyncapi"] == "3.0.0"
    assert document["servers"]["cable"]["host"] == "api.jiki.example"
    assert document["servers"]["cable"]["pathname"] == "/cable"
    assert set(document["channels"]) == {"$pubsub", "NotificationsChannel", "RoomChannel"}
    room = document["channels"]["RoomChannel"]
    assert room["x-truth"] == "GET /api/v1/internal/rooms/{id}"
    assert room["x-permission"] == "rooms.enter"
    assert room["x-identifier"]["properties"] == {"channel": {"const": "RoomChannel"}, "id": {"type": "integer"}}
    assert room["messages"]["say"]["payload"]["required"] == ["action", "text"]
    assert document["operations"]["RoomChannel.clear"]["summary"] == "Empties the room."
    for reference in _references(document):
        _follow(document, reference)


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for value in part.values() for found in _references(value)]
    return [found for value in part for found in _references(value)] if isinstance(part, list) else []


def _follow(document: Any, reference: str) -> Any:
    for name in reference.removeprefix("#/").split("/"):
        document = document[name.replace("~1", "/").replace("~0", "~")]
    return document
