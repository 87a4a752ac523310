"""The types that a kind of file may allow: their extensions, how their bytes are told, and whether browsers may draw them.

What is not here cannot be allowed: SVG and HTML are documents that run scripts, so no kind can name them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import puremagic

#: puremagic looks at the beginning and, for a few types, at the end
_HEAD_BYTES = 8_192
#: a text that begins like this is a document that a browser would run
_MARKUP = re.compile(rb"\s*(?:<\?xml|<!doctype|<!--|<html|<head|<body|<svg|<script|<iframe|<\?php)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContentType:
    """`magic` are names that puremagic has for it; none for text, which has no signature."""

    name: str
    extensions: tuple[str, ...]
    magic: frozenset[str] = frozenset()
    #: what its first bytes match besides, for puremagic's own entries are loose
    begins: re.Pattern[bytes] = re.compile(b"")
    is_drawn: bool = False

    @property
    def extension(self) -> str:
        """The usual one, such as `.png`."""
        return self.extensions[0]

    @property
    def is_text(self) -> bool:
        return not self.magic


def _signed(
    name: str, extensions: tuple[str, ...], begins: bytes, *aliases: str, is_drawn: bool = False
) -> ContentType:
    return ContentType(name, extensions, frozenset({name, *aliases}), re.compile(begins, re.DOTALL), is_drawn)


KNOWN: Mapping[str, ContentType] = {
    one.name: one
    for one in (
        _signed("image/png", (".png",), rb"\x89PNG\r\n\x1a\n", is_drawn=True),
        _signed("image/jpeg", (".jpg", ".jpeg"), rb"\xff\xd8\xff", is_drawn=True),
        _signed("image/gif", (".gif",), rb"GIF8[79]a", is_drawn=True),
        _signed("image/webp", (".webp",), rb"RIFF....WEBP", is_drawn=True),
        _signed("application/pdf", (".pdf",), rb"%PDF-"),
        _signed("application/zip", (".zip",), rb"PK\x03\x04"),
        _signed("video/mp4", (".mp4", ".m4v"), rb"....ftyp"),
        _signed("audio/mpeg", (".mp3",), rb"ID3|\xff[\xf2-\xfb]", "audio/mp3"),
        ContentType("text/plain", (".txt", ".log")),
        ContentType("text/markdown", (".md",)),
        ContentType("text/csv", (".csv",)),
        ContentType("application/json", (".json",)),
    )
}


def type_of_name(filename: str) -> ContentType | None:
    """By the extension."""
    extension = "." + filename.rpartition(".")[2].lower() if "." in filename else ""
    return next((one for one in KNOWN.values() if extension in one.extensions), None)


def is_of_type(head: bytes, wanted: ContentType) -> bool:
    """Whether a file that begins with `head` (8 KB, or all of it) is of the type, by its bytes alone."""
    if not wanted.begins.match(head):
        return False
    if wanted.is_text:
        return not _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")) and b"\0" not in head
    try:
        found = puremagic.magic_string(head[:_HEAD_BYTES])
    except (puremagic.PureError, ValueError):  # ValueError: too short to tell
        return False
    return any(one.mime_type in wanted.magic for one in found)


def type_of_bytes(head: bytes) -> ContentType | None:
    """The type with a signature that a file has; None for text and for what no kind may allow."""
    return next((one for one in KNOWN.values() if not one.is_text and is_of_type(head, one)), None)


def content_disposition(filename: str, *, inline: bool) -> str:
    """RFC 6266 with an ASCII name for old clients and the exact one for all others (RFC 8187)."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in filename)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
