"""What the protocol needs of a socket, and flask-sock's sockets brought to it (realtime.md section 4)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from simple_websocket import ConnectionClosed, Server

from jiki_core.cable.framing import close_frame
from jiki_core.cable.outgoing import CallLater, OutgoingLimits, OutgoingQueue, shut_down

#: largest message a client may send
MAX_MESSAGE_BYTES = 65_536
#: unread messages of a client that are kept; beyond this its socket is not read, so that TCP slows it down
_MAX_UNREAD_BYTES = 65_536
_MAX_UNREAD_MESSAGES = 64
#: how long the other side may take to answer our closing frame
_CLOSING_SECONDS = 2.0


class TransportClosed(Exception):
    """The conversation is over: either side closed, or the network did."""


class TransportTooSlow(TransportClosed):
    """The client left too much unread. What waited is dropped; a farewell can still be said by `close`."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side: its address, the subprotocol agreed on, and when (monotonic) a byte last came from
    it."""

    address: str
    subprotocol: str | None
    heard_at: float


class Transport(Protocol):
    """One socket after its upgrade. Only the conversation's own thread receives; any thread may send or
    close."""

    @property
    def peer(self) -> Peer: ...

    @property
    def environ(self) -> Mapping[str, Any]:
        """The handshake's WSGI environ."""

    @property
    def is_gone(self) -> bool:
        """The other side has left: nothing that is said reaches anybody."""

    def receive(self, timeout: float) -> str | None:
        """The next text message; None when none came in `timeout` seconds (or for another reason to look
        around).

        Raises TransportClosed, TransportTooSlow.
        """

    def send(self, frame: bytes) -> None:
        """Sends a WebSocket frame (framing.py) without ever waiting; after the close nothing is sent."""

    def wait_for_room(self) -> None:
        """Waits while a client that reads slowly has much to take, or the conversation is over. For the conversation's own
        thread, before it sends more than the client can be expected to take at once."""

    def close(self, code: int, reason: str = "", farewell: bytes = b"") -> None:
        """Says `farewell` (a frame), then closes with an RFC 6455 code. Wakes `receive`; returns at once."""


class GuardedSocket:
    """Stands between simple-websocket and the server's socket, with the three methods the library calls.

    Everything it sends (the handshake's answer, pongs, the closing answer) goes through the socket's one
    writer, and it reads no further while the conversation has not caught up.
    """

    def __init__(self, sock: socket.socket, limits: OutgoingLimits, call_later: CallLater) -> None:
        self.sock = sock
        self.writer = OutgoingQueue(sock, limits, call_later, self._overflowed)
        self.heard_at = time.monotonic()
        self.is_too_slow = False
        #: the library has read its last: their closing frame, an error, or the end of the stream
        self.is_over = threading.Event()
        #: nothing more will come: the other side ended the stream
        self.is_at_end = threading.Event()
        self._has_room = threading.Event()
        self._websocket: Server | None = None
        self._is_closing = False

    def serve(self, websocket: Server) -> None:
        """Binds the library's object, which exists only after the handshake."""
        self._websocket = websocket

    def send(self, data: bytes) -> int:
        """Called by the library's reader thread."""
        self.writer.put(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        """Called by the library's reader thread."""
        self._wait_for_room()
        data = self.sock.recv(size)
        self.heard_at = time.monotonic()
        return data

    def close(self) -> None:
        """Called by the library when its reader ends. The socket stays open, because the WSGI server owns it;
        what still comes is read and dropped, or else the system would answer it with a reset that overtakes
        our last words.
        """
        self.is_over.set()
        self._wake()
        with suppress(OSError):  # gone already
            while self.sock.recv(_MAX_UNREAD_BYTES):
                pass
        self.is_at_end.set()

    def caught_up(self) -> None:
        """A message was taken out: there may be room for another."""
        self._has_room.set()

    def closing(self) -> None:
        """We said our last word: whoever waits goes on, what still comes is read and dropped."""
        self._is_closing = True
        self._has_room.set()
        self._wake()

    def _overflowed(self) -> None:
        self.is_too_slow = True
        self.closing()

    def _wake(self) -> None:
        """Lets `receive` notice the end. The library signals its event before it changes its state, which
        would leave a handler waiting for ever after a message that is too big."""
        if self._websocket is not None:
            self._websocket.connected = False
            self._websocket.event.set()

    def _wait_for_room(self) -> None:
        websocket = self._websocket
        while websocket is not None:
            unread = list(websocket.input_buffer)
            if self._is_closing:
                websocket.input_buffer.clear()
                self._wake()
                return
            if len(unread) < _MAX_UNREAD_MESSAGES and sum(map(len, unread)) < _MAX_UNREAD_BYTES:
                return
            self._has_room.wait(1.0)
            self._has_room.clear()


class FlaskSockTransport:
    """A socket that flask-sock accepted after `guard_environ`. Works with threads and with gevent alike."""

    def __init__(self, websocket: Server, environ: Mapping[str, Any], guarded: GuardedSocket) -> None:
        self.environ = environ
        self._websocket = websocket
        self._guarded = guarded
        self._is_closed = False
        # the writer's own method: a broadcast calls it for every socket
        self.send = guarded.writer.put
        self.wait_for_room = guarded.writer.wait_for_room
        guarded.serve(websocket)

    @property
    def peer(self) -> Peer:
        return Peer(str(self.environ.get("REMOTE_ADDR", "")), self._websocket.subprotocol, self._guarded.heard_at)

    @property
    def is_gone(self) -> bool:
        return self._guarded.is_over.is_set()

    def receive(self, timeout: float) -> str | None:
        self._raise_if_over()
        try:
            message = self._websocket.receive(timeout=timeout)
        except ConnectionClosed as error:
            self._raise_if_over()
            raise TransportClosed from error
        self._guarded.caught_up()
        self._raise_if_over()
        # a binary message is no command of a JSON protocol; an empty text is malformed in the same way
        return "" if isinstance(message, bytes) else message

    def close(self, code: int, reason: str = "", farewell: bytes = b"") -> None:
        self._is_closed = True
        self._guarded.writer.finish(*([farewell] if farewell else []), close_frame(code, reason))
        self._guarded.closing()

    def finish(self) -> None:
        """Ends the socket for good, in the handler's thread: waits (within bounds) until the client took the
        last words and answered them, then leaves the descriptor untouched for the server to close."""
        guarded, writer = self._guarded, self._guarded.writer
        if self._websocket.connected and not self._is_closed:
            self.close(1000)
        elif not self._is_closed:
            # the library tells us of their end before it has sent its answer
            guarded.is_over.wait(_CLOSING_SECONDS)
        writer.finish()
        if writer.wait_until_empty(writer.linger_seconds):
            guarded.is_over.wait(_CLOSING_SECONDS)
            shut_down(guarded.sock, socket.SHUT_WR)
            guarded.is_at_end.wait(_CLOSING_SECONDS)
        writer.abandon()
        shut_down(guarded.sock)
        guarded.is_at_end.wait(_CLOSING_SECONDS)

    def _raise_if_over(self) -> None:
        if self._guarded.is_too_slow and not self._is_closed:
            raise TransportTooSlow
        if self._is_closed:
            raise TransportClosed


def guard_environ(environ: dict[str, Any], limits: OutgoingLimits, call_later: CallLater) -> GuardedSocket | None:
    """Prepares a handshake for flask-sock: our socket in place of the server's, and no compression.

    Browsers offer permessage-deflate and the library always accepts, at 100 KiB a socket. None when the
    server gives access to no plain socket (TLS must end in front of it).
    """
    for key in ("gunicorn.socket", "werkzeug.socket"):
        sock = environ.get(key)
        if sock is not None:
            break
    else:
        return None
    if not hasattr(sock, "fileno") or hasattr(sock, "unwrap"):
        return None
    environ[key] = guarded = GuardedSocket(sock, limits, call_later)
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    return guarded
