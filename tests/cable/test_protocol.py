"""Commands read and frames written, to the letter of realtime.md section 1."""

from __future__ import annotations

import orjson
import pytest

from jiki_core.cable import protocol
from jiki_core.cable.protocol import Dialect, DisconnectReason, Malformed, Position, dialect_of, parse_command

I = protocol.encode_identifier('{"channel":"ExerciseChannel","id":7}')  # noqa: E741  # the design's name for an identifier


@pytest.mark.parametrize(
    ("subprotocol", "dialect"),
    [
        ("actioncable-v1-json", Dialect.BASE),
        ("actioncable-v1-ext-json", Dialect.EXTENDED),
        (None, Dialect.BASE),
    ],
)
def test_the_subprotocol_says_the_dialect(subprotocol: str | None, dialect: Dialect) -> None:
    assert dialect_of(subprotocol) is dialect


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (protocol.welcome(), {"type": "welcome"}),
        (protocol.welcome("p7Qe"), {"type": "welcome", "sid": "p7Qe"}),
        (
            protocol.welcome("mB81", ["a"]),
            {"type": "welcome", "sid": "mB81", "restored": True, "restored_ids": ["a"]},
        ),
        (protocol.ping(1795340123), {"type": "ping", "message": 1795340123}),
        (
            protocol.disconnect(DisconnectReason.TOKEN_EXPIRED, reconnect=False),
            {"type": "disconnect", "reason": "token_expired", "reconnect": False},
        ),
        (protocol.confirm_subscription(I), {"identifier": orjson.loads(I), "type": "confirm_subscription"}),
        (protocol.reject_subscription(I), {"identifier": orjson.loads(I), "type": "reject_subscription"}),
        (protocol.confirm_history(I), {"identifier": orjson.loads(I), "type": "confirm_history"}),
        (protocol.reject_history(I), {"identifier": orjson.loads(I), "type": "reject_history"}),
        (protocol.data(I, b'{"a":1}'), {"identifier": orjson.loads(I), "message": {"a": 1}}),
        (
            protocol.positioned_data(I, b'{"a":1}', 'exercise/"7"', Position("Hq3x", 18)),
            {
                "identifier": orjson.loads(I),
                "message": {"a": 1},
                "stream_id": 'exercise/"7"',
                "epoch": "Hq3x",
                "offset": 18,
            },
        ),
        (
            protocol.presence(I, b'{"type":"leave","id":"42"}'),
            {"type": "presence", "identifier": orjson.loads(I), "message": {"type": "leave", "id": "42"}},
        ),
    ],
)
def test_frames_have_the_members_clients_expect(written: bytes, expected: object) -> None:
    assert orjson.loads(written) == expected


@pytest.mark.parametrize(
    "identifier",
    [
        '{"channel":"A","id":7}',
        '{ "channel" : "A" }',
        '{"id":7,"channel":"A"}',
        "Ünïcödé 🚲 \u2028",
        'a"b\\c\n',
        "not json",
    ],
)
def test_an_identifier_comes_back_character_for_character(identifier: str) -> None:
    command = parse_command(orjson.dumps({"command": "subscribe", "identifier": identifier}).decode())
    echoed = orjson.loads(protocol.confirm_subscription(protocol.encode_identifier(command.identifier)))
    assert echoed["identifier"] == identifier


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"subscribe"',
        "{}",
        '{"command":1}',
        '{"command":"subscribe","identifier":{"channel":"A"}}',
        '{"command":"subscribe","identifier":null}',
        '{"command":"subscribe","identifier":"\\ud800"}',
        '{"command":"message","data":' + "[" * 3000 + "]" * 3000 + "}",
        '{"command":"subscribe","identifier":NaN}',
    ],
)
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_command(text)


def test_a_history_request_names_positions_and_a_time() -> None:
    request = parse_command(
        '{"command":"history","identifier":"I",'
        '"history":{"since":1795340100,"streams":{"exercise/7/u42":{"offset":18,"epoch":"Hq3x"}}}}'
    ).history
    assert request is not None
    assert request.since == 1795340100
    assert request.streams == {"exercise/7/u42": Position("Hq3x", 18)}


@pytest.mark.parametrize(
    "raw", ["[]", '{"streams":{"s":7}}', '{"streams":{"s":{"offset":true,"epoch":"e"}}}', '{"streams":{"s":{}}}']
)
def test_a_history_that_cannot_be_understood_asks_for_what_nobody_has(raw: str) -> None:
    request = parse_command('{"command":"history","identifier":"I","history":' + raw + "}").history
    assert request is not None
    assert all(position.offset < 0 for position in request.streams.values())
    assert request.streams or request.since == float("-inf")


def test_unknown_members_and_commands_are_left_to_the_conversation() -> None:
    assert parse_command('{"command":"later","more":1}').name == "later"
