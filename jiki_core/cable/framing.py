"""WebSocket frames as a server writes them (RFC 6455 section 5.2): never masked, never fragmented, never
compressed.

A broadcast is framed once and the same bytes go to every socket, so framing is not left to the transport's
library.
"""

from __future__ import annotations

import struct

_TEXT = 0x81
_CLOSE = 0x88
#: a WebSocket ping without payload; browsers and libraries answer it by themselves
PING_FRAME = b"\x89\x00"


def text_frame(payload: bytes) -> bytes:
    """One whole text message; `payload` is UTF-8."""
    return _header(_TEXT, len(payload)) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """The closing frame; `reason` is cut to the 123 bytes that fit."""
    body = struct.pack("!H", code) + reason.encode()[:123].decode(errors="ignore").encode()
    return _header(_CLOSE, len(body)) + body


def _header(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)
