"""Small real files, made by hand: images of one colour, archives, and the tricks that are played with them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib


def png(width: int = 2, height: int = 2, *, comment: bytes = b"", after: bytes = b"") -> bytes:
    """A grey image; `comment` goes into a tEXt chunk, `after` behind the end."""
    rows = b"".join(b"\0" + b"\x80" * width for _ in range(min(height, 64)))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))]
    if comment:
        chunks.append((b"tEXt", b"Comment\0" + comment))
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks)) + after


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, data = chunk
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int = 3, height: int = 2, *, after: bytes = b"") -> bytes:
    """Headers of a JPEG (APP0, SOF0, SOS), which is what is looked at."""
    jfif = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + jfif + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\x2a" * 16 + b"\xff\xd9" + after


def gif(width: int = 4, height: int = 3) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + b"\x3b"


def webp(width: int = 5, height: int = 4) -> bytes:
    """A lossless one: 14 bits each of width and height, less one."""
    bits = (width - 1) | (height - 1) << 14
    body = b"WEBPVP8L" + struct.pack("<I", 6) + b"\x2f" + struct.pack("<I", bits) + b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def archive(entries: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as file:
        for name, content in entries.items():
            file.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return held.getvalue()


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
