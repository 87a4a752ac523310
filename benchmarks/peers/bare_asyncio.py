"""The peer on asyncio: frames written by hand on a bare protocol, no library, no queues. `python -m … PORT`; POST
/broadcast sends its body to all.

The package `websockets` is not among our requirements; a server without any library is the harder peer.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import sys

from jiki_core.cable.framing import text_frame

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"(?im)^sec-websocket-key:\s*(\S+)\s*$")
_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d+)\s*$")
_members: set[asyncio.Transport] = set()


class Peer(asyncio.Protocol):
    """One connection: a handshake or a POST; what a member says is dropped."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._pending = b""

    def connection_lost(self, exc: Exception | None) -> None:
        _members.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._transport in _members:
            return
        self._pending += data
        head, found, body = self._pending.partition(b"\r\n\r\n")
        if not found:
            return
        key, length = _KEY.search(head), _LENGTH.search(head)
        if key is not None:
            accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Protocol: actioncable-v1-json\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept
            )
            _members.add(self._transport)
        elif length is None or len(body) >= int(length[1]):
            if body:
                frame = text_frame(body)
                for member in _members:
                    member.write(frame)
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        else:
            return
        self._pending = b""


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
