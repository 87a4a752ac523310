"""Width and height of an image from its headers, without decoding a pixel, and a PNG's own end."""

from __future__ import annotations

import struct
from typing import BinaryIO

from jiki_core.storage.errors import FileDisguised

#: JPEG markers that carry the size (ITU T.81 B.1.1.3: SOF0-SOF15 without DHT, JPG and DAC)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PNG_SIGNATURE_BYTES = 8
#: no PNG that people make has as many chunks
_MOST_CHUNKS = 100_000


def dimensions(file: BinaryIO, content_type: str) -> tuple[int, int]:
    """(width, height) in pixels. Raises FileDisguised when the headers are not those of the type."""
    file.seek(0)
    try:
        return _READERS[content_type](file)
    except (struct.error, IndexError):
        raise FileDisguised(reason="broken_image") from None


def refuse_after_png(file: BinaryIO) -> None:
    """Walks the chunks (PNG 5.2): the file must end with IEND. Raises FileDisguised for anything behind it."""
    file.seek(0, 2)
    end = file.tell()
    position = _PNG_SIGNATURE_BYTES
    for _ in range(_MOST_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            break
        length, kind = struct.unpack(">I4s", header)
        position += 12 + length
        if kind == b"IEND":
            if position == end:
                return
            raise FileDisguised(reason="data_after_image")
    raise FileDisguised(reason="broken_image")


def _png(file: BinaryIO) -> tuple[int, int]:
    head = file.read(24)
    if head[12:16] != b"IHDR":
        raise FileDisguised(reason="broken_image")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _gif(file: BinaryIO) -> tuple[int, int]:
    width, height = struct.unpack("<HH", file.read(10)[6:10])
    return width, height


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    file.seek(2)
    while True:
        byte = file.read(1)[0]
        if byte != 0xFF:
            raise FileDisguised(reason="broken_image")
        while byte == 0xFF:  # fill bytes
            byte = file.read(1)[0]
        if byte == 0x01 or 0xD0 <= byte <= 0xD7:  # markers without a segment
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if byte in _FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        if byte == 0xDA or length < 2:  # the scan begins, and no frame came before
            raise FileDisguised(reason="broken_image")
        file.seek(length - 2, 1)


def _webp(file: BinaryIO) -> tuple[int, int]:
    head = file.read(30)
    form = head[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if form == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise FileDisguised(reason="broken_image")


_READERS = {"image/png": _png, "image/gif": _gif, "image/jpeg": _jpeg, "image/webp": _webp}
