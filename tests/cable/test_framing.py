"""Frames as a server writes them, read back by an independent implementation."""

from __future__ import annotations

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from jiki_core.cable.framing import PING_FRAME, close_frame, text_frame


def _read(data: bytes) -> list[object]:
    browser = Connection(ConnectionType.CLIENT)
    browser.receive_data(data)
    return list(browser.events())


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_text_of_any_length_is_one_whole_frame(length: int) -> None:
    events = _read(text_frame(b"a" * length))
    assert "".join(event.data for event in events if isinstance(event, TextMessage)) == "a" * length
    assert isinstance(events[-1], TextMessage)
    assert events[-1].message_finished


def test_text_is_utf_8() -> None:
    assert _read(text_frame("schließen – 閉じる".encode()))[0].data == "schließen – 閉じる"  # type: ignore[attr-defined]  # it is a text


def test_a_closing_frame_carries_code_and_reason() -> None:
    (event,) = _read(close_frame(1001, "Server restart"))
    assert isinstance(event, CloseConnection)
    assert (event.code, event.reason) == (1001, "Server restart")


def test_a_long_reason_is_cut_between_characters() -> None:
    (event,) = _read(close_frame(1000, "ü" * 100))
    assert isinstance(event, CloseConnection)
    assert event.reason == "ü" * 61


def test_a_ping_is_a_ping() -> None:
    assert isinstance(_read(PING_FRAME)[0], Ping)
