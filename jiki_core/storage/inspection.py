"""Looking at a file before it is kept: size, checksum, type by bytes and by name, and what hides inside. No app, no database."""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import BinaryIO

from jiki_core.storage.archives import check_archive
from jiki_core.storage.content_types import KNOWN, ContentType, is_of_type, type_of_bytes, type_of_name
from jiki_core.storage.errors import FileDisguised, FileEmpty, FileTooLarge, FileTypeRefused, ImageTooLarge
from jiki_core.storage.images import dimensions, refuse_after_png
from jiki_core.storage.kinds import FileKind

MAX_NAME_CHARACTERS = 200
_CHUNK = 1 << 20
_HEAD_BYTES = 8_192
#: what no image contains; in capitals or not
_SCRIPTS = (b"<?php", b"<script", b"<svg", b"<html", b"<iframe")
_LONGEST_SCRIPT = max(map(len, _SCRIPTS))
#: a zip's end of central directory, which readers look for from the end (APPNOTE 4.3.16), so that a jar hides in an image
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL_BYTES = 65_557
#: PDF readers take a file whose header comes late (Adobe's note 13 to PDF 1.7)
_PDF_BEGIN = b"%PDF-"
_PDF_WITHIN_BYTES = 1_024
#: what no text contains; tabs, line and page ends and the escapes of terminals are fine
_CONTROL = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file was found to be."""

    filename: str
    content_type: str
    byte_size: int
    sha256: bytes
    #: of an image
    width: int | None = None
    height: int | None = None


def inspect_file(file: BinaryIO, *, filename: str, kind: FileKind) -> Inspected:
    """Reads a seekable file whole, in pieces, and leaves it at its beginning.

    Raises a FileRefused: FileEmpty, FileTooLarge, FileTypeRefused, FileDisguised, ImageTooLarge or ArchiveRefused.
    """
    name = clean_filename(filename)
    wanted = _wanted_type(name, kind)
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not head:
        raise FileEmpty()
    _check_type(head, wanted, kind)
    byte_size, sha256 = _read_through(file, kind, name, wanted)
    width = height = None
    if wanted.is_drawn:
        width, height = _check_image(file, head, wanted, kind)
    elif wanted.name == "application/zip":
        check_archive(file, kind.archive)
    file.seek(0)
    return Inspected(name, wanted.name, byte_size, sha256, width, height)


def clean_filename(filename: str) -> str:
    """The last part of a path, without control and formatting characters; "file" when nothing is left. For show only."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    shown = "".join(sign for sign in unicodedata.normalize("NFC", last) if unicodedata.category(sign)[0] != "C")
    shown = shown.strip(" .") or "file"
    if len(shown) > MAX_NAME_CHARACTERS:
        stem, dot, extension = shown.rpartition(".")
        shown = stem[: MAX_NAME_CHARACTERS - 10] + dot + extension[:9] if dot else shown[:MAX_NAME_CHARACTERS]
    return shown


def _wanted_type(name: str, kind: FileKind) -> ContentType:
    """What the name says it is, if the kind takes that."""
    told = type_of_name(name)
    if told is None or told.name not in kind.content_types:
        raise FileTypeRefused(allowed=list(kind.content_types))
    return told


def _check_type(head: bytes, wanted: ContentType, kind: FileKind) -> None:
    if is_of_type(head, wanted) and (not wanted.is_text or type_of_bytes(head) is None):
        return
    real = type_of_bytes(head)
    if real is not None and real.name in kind.content_types:
        raise FileDisguised(reason="wrong_extension", content_type=real.name)
    raise FileTypeRefused(allowed=list(kind.content_types))


def _read_through(file: BinaryIO, kind: FileKind, name: str, wanted: ContentType) -> tuple[int, bytes]:
    """(size in bytes, SHA-256); looks into every piece on the way."""
    digest, size, before = hashlib.sha256(), 0, b""
    decoder = codecs.getincrementaldecoder("utf-8")() if wanted.is_text else None
    file.seek(0)
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if size > kind.max_bytes:
            raise FileTooLarge(filename=name, max_bytes=kind.max_bytes)
        digest.update(chunk)
        if decoder is not None:
            _check_text(decoder, chunk, is_last=False)
        elif wanted.is_drawn:
            seen = (before + chunk).lower()
            if any(script in seen for script in _SCRIPTS):
                raise FileDisguised(reason="script_inside")
            before = chunk[-_LONGEST_SCRIPT:]
    if decoder is not None:
        _check_text(decoder, b"", is_last=True)
    return size, digest.digest()


def _check_text(decoder: codecs.IncrementalDecoder, chunk: bytes, *, is_last: bool) -> None:
    try:
        text = decoder.decode(chunk, is_last)
    except UnicodeDecodeError:
        raise FileDisguised(reason="not_text") from None
    if _CONTROL.search(text):
        raise FileDisguised(reason="not_text")


def _check_image(file: BinaryIO, head: bytes, wanted: ContentType, kind: FileKind) -> tuple[int, int]:
    width, height = dimensions(file, wanted.name)
    if max(width, height) > kind.max_side_pixels or width * height > kind.max_pixels:
        raise ImageTooLarge(max_pixels=kind.max_pixels, max_side_pixels=kind.max_side_pixels)
    if not width or not height:
        raise FileDisguised(reason="broken_image")
    if _PDF_BEGIN in head[:_PDF_WITHIN_BYTES]:
        raise FileDisguised(reason="document_inside")
    file.seek(0, 2)
    file.seek(max(0, file.tell() - _ZIP_TAIL_BYTES))
    if _ZIP_END in file.read():
        raise FileDisguised(reason="archive_inside")
    if wanted.name == "image/png":
        refuse_after_png(file)
    return width, height


def is_drawn(content_type: str) -> bool:
    """Whether a browser may draw it in a page; everything else is downloaded."""
    known = KNOWN.get(content_type)
    return known is not None and known.is_drawn
