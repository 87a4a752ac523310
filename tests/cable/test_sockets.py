"""The cable over real sockets, under gunicorn with threads and with gevent (realtime.md sections 1.1 to 1.3, 1.11 and 4)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import requests
import websocket

from jiki_core.testing import wait_until

BASE, EXTENDED = "actioncable-v1-json", "actioncable-v1-ext-json"
Hear = Callable[[websocket.WebSocket], dict[str, Any]]


def room(number: int) -> str:
    return orjson.dumps({"channel": "RoomChannel", "id": number}).decode()


def say(sock: websocket.WebSocket, command: str, identifier: str = "", **members: Any) -> None:
    sock.send(orjson.dumps({"command": command, "identifier": identifier, **members}).decode())


def perform(sock: websocket.WebSocket, identifier: str, **data: Any) -> None:
    say(sock, "message", identifier, data=orjson.dumps(data).decode())


def enter(sock: websocket.WebSocket, hear: Hear, number: int) -> str:
    say(sock, "subscribe", room(number))
    assert hear(sock) == {"identifier": room(number), "type": "confirm_subscription"}
    return room(number)


def closing(sock: websocket.WebSocket) -> tuple[int | None, str]:
    """The close frame's code and reason, whatever comes before it."""
    while True:
        try:
            opcode, data = sock.recv_data(control_frame=True)
        except websocket.WebSocketConnectionClosedException:
            return None, ""
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return struct.unpack("!H", data[:2])[0], data[2:].decode()


# The handshake


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([BASE, "actioncable-unsupported"], BASE),
        ([EXTENDED], EXTENDED),
        ([EXTENDED, BASE], EXTENDED),
        ([BASE, EXTENDED], BASE),
        (["actioncable-ext-pong", BASE], BASE),
        (["actioncable-v1-msgpack"], None),
        ([], None),
    ],
)
def test_one_of_the_offered_subprotocols_is_chosen(stage: Any, offered: list[str], chosen: str | None) -> None:
    # the client library refuses an answer without a subprotocol when it offered one; browsers do too
    with contextlib.closing(socket.create_connection(("127.0.0.1", stage.port), 10)) as sock:
        names = f"Sec-WebSocket-Protocol: {', '.join(offered)}\r\n" if offered else ""
        sock.sendall(
            f"GET /cable?jid={stage.token()} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{names}"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
        )
        answer = b""
        while b"welcome" not in answer:
            answer += sock.recv(4_096)
        head, _, rest = answer.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"HTTP/1.1 101")
    assert headers.get("sec-websocket-protocol") == chosen
    assert "sec-websocket-extensions" not in headers
    assert (b'"sid"' in rest) == (chosen == EXTENDED)


def test_a_token_may_be_a_subprotocol_which_is_never_chosen(stage: Any, next_message: Hear) -> None:
    sock = stage.open(token=None, subprotocols=[BASE, f"anycable-token.{stage.token()}"])
    assert sock.getsubprotocol() == BASE
    assert next_message(sock) == {"type": "welcome"}
    sock.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://page.example", "cookie": "user=7"}, 101),
        ({"origin": "http://evil.example", "cookie": "user=7"}, 403),
        ({"origin": "null", "cookie": "user=7"}, 403),
        ({"cookie": "user=7"}, 403),
    ],
)
def test_a_cookie_counts_only_from_an_allowed_page(stage: Any, headers: dict[str, str], status: int) -> None:
    assert _status(stage, token=None, suppress_origin="origin" not in headers, **headers) == status


def test_a_foreign_page_is_refused_before_the_upgrade_even_with_a_token(stage: Any) -> None:
    assert _status(stage, origin="http://evil.example", suppress_origin=False) == 403


def test_our_own_page_is_allowed(stage: Any) -> None:
    origin = f"http://127.0.0.1:{stage.port}"
    assert _status(stage, token=None, origin=origin, suppress_origin=False, cookie="user=7") == 101


def _status(stage: Any, **options: Any) -> int:
    try:
        stage.open(**options).close()
    except websocket.WebSocketBadStatusException as refused:
        return int(refused.status_code or 0)
    return 101


@pytest.mark.parametrize(
    ("token", "reason"),
    [("nonsense", "unauthorized"), (None, "unauthorized"), ("expired", "token_expired")],
)
def test_who_is_nobody_is_told_after_the_upgrade(
    stage: Any, next_message: Hear, token: str | None, reason: str
) -> None:
    sock = stage.open(token=stage.token(seconds=-1) if token == "expired" else token)
    assert next_message(sock) == {"type": "disconnect", "reason": reason, "reconnect": False}
    assert closing(sock) == (1000, "Auth Failed")


def test_a_failing_authentication_lets_clients_come_back(stage: Any) -> None:
    assert closing(stage.open(token="broken-database")) == (1011, "Auth Error")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "8",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        },
    ],
)
def test_what_is_no_handshake_is_a_bad_request(stage: Any, headers: dict[str, str]) -> None:
    answer = requests.get(f"http://127.0.0.1:{stage.port}/cable", headers=headers, timeout=10)
    assert answer.status_code == 400


def test_a_token_is_in_no_log(stage: Any) -> None:
    token = stage.token()
    stage.welcome(token=token).close()
    assert _status(stage, token=token, origin="http://evil.example", suppress_origin=False) == 403
    wait_until(lambda: stage.state()["connections"] == 0)
    wait_until(lambda: "/cable?jid=redacted" in stage.printed())
    assert token not in stage.printed()


# The conversation


def test_commands_are_handled_in_order(stage: Any, next_message: Hear) -> None:
    sock = stage.welcome()
    say(sock, "subscribe", room(1))
    say(sock, "unsubscribe", room(1))
    say(sock, "subscribe", room(1))
    for n in range(10):
        perform(sock, room(1), action="echo", n=n)
    assert [next_message(sock)["type"] for _ in range(2)] == ["confirm_subscription"] * 2
    assert [next_message(sock)["message"]["echo"]["n"] for _ in range(10)] == list(range(10))
    sock.close()


def test_broadcasts_arrive_in_order(stage: Any, next_message: Hear) -> None:
    socks = [stage.welcome(subprotocols=[dialect]) for dialect in (BASE, EXTENDED)]
    for sock in socks:
        enter(sock, next_message, 2)
    stage.publish("room/2", *({"n": n} for n in range(100)))
    for sock in socks:
        assert [next_message(sock)["message"]["n"] for _ in range(100)] == list(range(100))
        sock.close()


def test_each_command_has_an_app_context_of_its_own_and_none_is_held_between(stage: Any, next_message: Hear) -> None:
    sock = stage.welcome()
    enter(sock, next_message, 3)
    for _ in range(3):
        perform(sock, room(3), action="context")
        assert next_message(sock)["message"] == {"fresh": True, "request": False}
    assert stage.state()["idle_contexts"] == 0
    sock.close()


def test_pings_go_on_while_an_action_takes_its_time(stage: Any, next_message: Hear) -> None:
    sock = stage.welcome()
    enter(sock, next_message, 4)
    perform(sock, room(4), action="linger", seconds=4.6)
    kinds = []
    while "lingered" not in kinds:
        message = orjson.loads(sock.recv())
        kinds.append(message.get("type") or next(iter(message["message"])))
    assert "ping" in kinds
    sock.close()


def test_nonsense_is_ignored_and_the_socket_goes_on(stage: Any, next_message: Hear) -> None:
    sock = stage.welcome()
    for text in ("", "{", "null", '{"command":"fly"}', "x" * 60_000):
        sock.send(text)
    sock.send_binary(b"\x00\x01")
    say(sock, "ping")
    assert next_message(sock) == {"type": "pong"}
    sock.close()


def test_a_message_in_pieces_is_one_message(stage: Any, next_message: Hear) -> None:
    sock = stage.welcome()
    text = orjson.dumps({"command": "subscribe", "identifier": room(5)}).decode()
    frame = websocket.ABNF
    sock.send_frame(frame.create_frame(text[:10], frame.OPCODE_TEXT, 0))
    sock.send_frame(frame.create_frame(text[10:20], frame.OPCODE_CONT, 0))
    sock.ping()
    sock.send_frame(frame.create_frame(text[20:], frame.OPCODE_CONT, 1))
    assert next_message(sock)["type"] == "confirm_subscription"
    sock.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x84\x00\x00\x00\x00\xff\xfe\xfd\xfc", 1007),
        (b"\x81\x02{}", 1002),
        (b"\xb1\x80\x00\x00\x00\x00", 1002),
    ],
)
def test_a_broken_frame_ends_the_socket_with_its_code(stage: Any, frame: bytes, code: int) -> None:
    sock = stage.welcome()
    sock.sock.sendall(frame)
    assert closing(sock)[0] == code


def test_a_message_that_is_too_large_ends_the_socket_and_nothing_else(stage: Any, next_message: Hear) -> None:
    before = stage.state()["threads"]
    for _ in range(15):
        sock = stage.welcome()
        with contextlib.suppress(OSError):
            sock.send("x" * 200_000)
        assert closing(sock)[0] == 1009
        sock.close()
    wait_until(lambda: stage.state()["connections"] == 0)
    wait_until(lambda: stage.state()["threads"] <= before + 3, what="the end of their threads")
    assert enter(stage.welcome(), next_message, 6)


def test_a_client_that_vanishes_is_forgotten(stage: Any) -> None:
    wait_until(lambda: stage.state()["connections"] == 0)
    socks = [stage.welcome() for _ in range(5)]
    assert stage.state()["connections"] == 5
    for sock in socks:
        sock.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.shutdown()
    wait_until(lambda: stage.state()["connections"] == 0, seconds=5)


def test_a_clean_close_is_answered_at_once(stage: Any) -> None:
    sock = stage.welcome()
    began = time.monotonic()
    sock.send_close(1000, b"bye")
    assert closing(sock)[0] == 1000
    assert sock.sock.recv(1) == b""
    assert time.monotonic() - began < 1


def test_a_flood_slows_down_its_sender_and_nobody_else(stage: Any, next_message: Hear) -> None:
    flooding, calm = stage.welcome(), stage.welcome()
    enter(flooding, next_message, 7)
    flooding.sock.settimeout(0.2)
    sent = 0
    with contextlib.suppress(OSError, websocket.WebSocketTimeoutException):
        while sent < 3_000:
            perform(flooding, room(7), action="echo", pad="x" * 8_000)
            sent += 1
    assert sent < 3_000
    for _ in range(5):
        began = time.monotonic()
        say(calm, "ping")
        assert next_message(calm) == {"type": "pong"}
        assert time.monotonic() - began < 0.5
    assert stage.state()["kilobytes"] < 300_000
    flooding.shutdown()
    calm.close()


def test_one_that_stops_reading_is_told_too_slow_and_the_others_get_all(stage: Any, next_message: Hear) -> None:
    stalled = stage.welcome(sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)])
    healthy = [stage.welcome() for _ in range(5)]
    for sock in (stalled, *healthy):
        enter(sock, next_message, 8)
    before = stage.state()["kilobytes"]
    for start in range(0, 3_000, 100):
        stage.publish("room/8", *({"n": n, "pad": "x" * 2_000} for n in range(start, start + 100)))
        for sock in healthy:
            assert [next_message(sock)["message"]["n"] for _ in range(100)] == list(range(start, start + 100))
    assert stage.state()["kilobytes"] - before < 60_000
    received = []
    while not received or received[-1].get("type") != "disconnect":
        received.append(next_message(stalled))
    assert received[-1] == {"type": "disconnect", "reason": "too_slow", "reconnect": True}
    numbers = [one["message"]["n"] for one in received[:-1]]
    assert numbers == list(range(len(numbers)))
    assert closing(stalled)[0] == 1000
    # and recovers: it comes back with the position it has
    again = stage.welcome()
    last = received[-2]
    history = {"streams": {last["stream_id"]: {"epoch": last["epoch"], "offset": last["offset"]}}}
    say(again, "subscribe", room(8), history=history)
    assert [next_message(again)["type"] for _ in range(2)] == ["confirm_subscription", "reject_history"]
    stage.publish("room/8", {"n": 3_000})
    for sock in (again, *healthy):
        assert next_message(sock)["message"] == {"n": 3_000}
        sock.close()


def test_a_history_of_more_than_may_wait_comes_in_full(stage: Any, next_message: Hear) -> None:
    since = int(time.time())
    number = {"gthread": 20, "gevent": 21}[stage.mode]  # both modes share a Valkey, whose logs keep a hundred messages
    for n in range(100):
        stage.publish(f"room/{number}", {"n": n, "pad": "x" * 150_000})
    sock = stage.welcome(sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)])
    say(sock, "subscribe", room(number), history={"since": since})
    assert next_message(sock)["type"] == "confirm_subscription"
    assert [next_message(sock)["message"]["n"] for _ in range(100)] == list(range(100))
    assert next_message(sock)["type"] == "confirm_history"
    stage.publish(f"room/{number}", {"n": 100})
    assert next_message(sock)["message"] == {"n": 100}
    sock.close()


# Full, leaving, several processes


def test_one_too_many_is_refused_before_the_upgrade(make_stage: Any) -> None:
    stage = make_stage(STAGE_CONNECTIONS="3")
    socks = [stage.welcome() for _ in range(3)]
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        stage.open()
    assert refused.value.status_code == 503
    assert refused.value.resp_headers is not None
    assert refused.value.resp_headers["retry-after"] == "5"
    socks.pop().close()
    wait_until(lambda: _status(stage) == 101, seconds=5)
    for sock in socks:
        sock.close()


def test_a_stopping_process_says_so_and_ends(make_stage: Any, next_message: Hear) -> None:
    stage = make_stage()
    socks = [stage.welcome() for _ in range(10)]
    began = time.monotonic()
    stage.process.terminate()
    for sock in socks:
        assert next_message(sock) == {"type": "disconnect", "reason": "server_restart", "reconnect": True}
        assert closing(sock) == (1001, "Server restart")
        sock.close()
    assert stage.process.wait(15) == 0
    assert time.monotonic() - began < 8


def test_a_revocation_reaches_every_process_within_a_second(make_stage: Any, next_message: Hear) -> None:
    here, there = make_stage(), make_stage()
    socks = [stage.welcome() for stage in (here, there) for _ in range(2)]
    other = there.welcome(token=there.token(43))
    began = time.monotonic()
    here.post("/disconnect/42")
    for sock in socks:
        assert next_message(sock) == {"type": "disconnect", "reason": "remote", "reconnect": False}
    assert time.monotonic() - began < 1
    assert {closing(sock) for sock in socks} == {(1000, "Closed remotely")}
    say(other, "ping")
    assert next_message(other) == {"type": "pong"}
    other.close()


def test_a_session_comes_back_in_another_process_after_a_kill(make_stage: Any, next_message: Hear) -> None:
    here, there = make_stage(), make_stage()
    sock = here.open()
    sid = next_message(sock)["sid"]
    enter(sock, next_message, 9)
    here.publish("room/9", {"n": 0})
    last = next_message(sock)
    time_to_save = time.monotonic() + 0.2
    wait_until(lambda: time.monotonic() > time_to_save)
    children = _children(here.process.pid)
    for pid in (here.process.pid, *children):
        os.kill(pid, signal.SIGKILL)
    here.process.wait()
    there.publish("room/9", {"n": 1})
    again = there.open(query=f"sid={sid}")
    welcome = next_message(again)
    assert welcome["restored"] is True
    assert welcome["restored_ids"] == [room(9)]
    there.publish("room/9", {"n": 2})
    history = {"streams": {last["stream_id"]: {"epoch": last["epoch"], "offset": last["offset"]}}}
    say(again, "history", room(9), history=history)
    said = [next_message(again) for _ in range(3)]
    assert [one["message"]["n"] for one in said if "message" in one] == [1, 2]
    again.close()


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [int(child) for child in children.read().split()]
