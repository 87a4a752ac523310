"""What a guest writes: printed output up to its limit, and frames from whatever pieces they come in."""

from __future__ import annotations

import pytest

from jiki_runner.engine.output import PrintedOutput
from jiki_runner.engine.python_guest.wire import HOST, PEER

python_engine = pytest.importorskip("jiki_runner.engine.python_engine", reason="wasmtime is not installed")


def test_output_is_handed_out_in_pieces() -> None:
    output = PrintedOutput(100)
    output.add(b"one")
    assert output.take() == "one"
    output.add(b"two")
    assert output.take() == "two"
    assert output.take() == ""
    assert not output.is_cut


def test_output_over_the_limit_is_cut_and_said_to_be() -> None:
    output = PrintedOutput(5)
    output.add(b"1234")
    output.add(b"5678")
    assert output.take() == "12345"
    output.add(b"9")
    assert output.take() == ""
    assert output.is_cut


def test_a_character_cut_in_half_does_not_hurt() -> None:
    output = PrintedOutput(1)
    output.add("é".encode())
    assert output.take() == "\N{REPLACEMENT CHARACTER}"


def frame(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + kind + payload


@pytest.mark.parametrize("size", [1, 2, 5, 7, 1000])
def test_frames_are_put_together_from_pieces(size: int) -> None:
    data = frame(PEER, b"hello") + frame(HOST, b"") + frame(PEER, b"x" * 50)
    splitter = python_engine.FrameSplitter()
    frames = [each for i in range(0, len(data), size) for each in splitter.feed(data[i : i + size])]
    assert frames == [(PEER, b"hello"), (HOST, b""), (PEER, b"x" * 50)]


def test_a_frame_of_impossible_length_is_refused() -> None:
    with pytest.raises(ValueError, match="announces"):
        python_engine.FrameSplitter().feed(b"\xff\xff\xff\xffP")
