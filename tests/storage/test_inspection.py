"""What is taken and what is refused, by bytes and by name (trust.md 1.5, "Uploads")."""

from __future__ import annotations

import hashlib
import io

import pytest

from jiki_core.storage import FileKind
from jiki_core.storage.errors import FileDisguised, FileEmpty, FileRefused, FileTooLarge, FileTypeRefused, ImageTooLarge
from jiki_core.storage.inspection import clean_filename, inspect_file
from tests.storage.samples import PDF, archive, gif, jpeg, png, webp

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
EVERYTHING = FileKind(
    "anything", 5_000_000, (*IMAGES, "application/pdf", "application/zip", "text/plain", "text/csv", "application/json")
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def look(body: bytes, filename: str, kind: FileKind = EVERYTHING):
    return inspect_file(io.BytesIO(body), filename=filename, kind=kind)


@pytest.mark.parametrize(
    ("body", "filename", "content_type", "size"),
    [
        (png(2, 7), "a.png", "image/png", (2, 7)),
        (png(2, 7), "A.PNG", "image/png", (2, 7)),
        (jpeg(30, 20), "a.jpg", "image/jpeg", (30, 20)),
        (jpeg(30, 20), "a.jpeg", "image/jpeg", (30, 20)),
        (jpeg(30, 20, after=b"\xff\xd8 a phone's second picture"), "a.jpg", "image/jpeg", (30, 20)),
        (gif(4, 3), "a.gif", "image/gif", (4, 3)),
        (webp(500, 400), "a.webp", "image/webp", (500, 400)),
        (PDF, "a.pdf", "application/pdf", (None, None)),
        (archive({"a.txt": b"hi"}), "a.zip", "application/zip", (None, None)),
        ("Grüße\n".encode(), "a.txt", "text/plain", (None, None)),
        (b"\xef\xbb\xbfname;age\n", "a.csv", "text/csv", (None, None)),
        (b'{"a": "<b>"}', "a.json", "application/json", (None, None)),
    ],
)
def test_a_file_is_what_its_bytes_and_its_name_agree_on(body, filename, content_type, size):
    found = look(body, filename)
    assert (found.content_type, (found.width, found.height)) == (content_type, size)
    assert (found.byte_size, found.sha256) == (len(body), hashlib.sha256(body).digest())


@pytest.mark.parametrize(
    ("body", "filename", "error", "reason"),
    [
        (b"", "a.png", FileEmpty, None),
        (SVG, "a.svg", FileTypeRefused, None),
        (SVG, "a.png", FileTypeRefused, None),
        (SVG, "a.txt", FileTypeRefused, None),
        (b"<!DOCTYPE html><script>1</script>", "a.txt", FileTypeRefused, None),
        (b"\xef\xbb\xbf  <?xml version='1.0'?>" + SVG, "a.txt", FileTypeRefused, None),
        (b"MZ\x90\0 an executable", "a.png", FileTypeRefused, None),
        (b"\x7fELF an executable", "a.txt", FileDisguised, "not_text"),
        (png(), "a.php", FileTypeRefused, None),
        (png(), "a.png.php", FileTypeRefused, None),
        (png(), "a", FileTypeRefused, None),
        (png(), "a.jpg", FileDisguised, "wrong_extension"),
        (png(), "a.txt", FileDisguised, "wrong_extension"),
        (PDF, "a.png", FileDisguised, "wrong_extension"),
        (png(comment=b"<?php system($_GET[0]); ?>"), "a.png", FileDisguised, "script_inside"),
        (jpeg(after=b"<ScRiPt>alert(1)</script>"), "a.jpg", FileDisguised, "script_inside"),
        (png(after=b"anything"), "a.png", FileDisguised, "data_after_image"),
        (png(after=archive({"A.class": b"x"})), "a.png", FileDisguised, "archive_inside"),
        (jpeg(after=archive({"A.class": b"x"})), "a.jpg", FileDisguised, "archive_inside"),
        (gif() + b"%PDF-1.4", "a.gif", FileDisguised, "document_inside"),
        (png()[:40], "a.png", FileDisguised, "broken_image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a.jpg", FileDisguised, "broken_image"),
        (png(0, 5), "a.png", FileDisguised, "broken_image"),
        (png(50_000, 10), "a.png", ImageTooLarge, None),
        (png(10_000, 10_000), "a.png", ImageTooLarge, None),
        (webp(16_384, 16_000), "a.webp", ImageTooLarge, None),
        (b"caf\xe9", "a.txt", FileDisguised, "not_text"),
        (b"a" * 9_000 + b"\0", "a.txt", FileDisguised, "not_text"),
        (b"a" * 5_000_001, "a.txt", FileTooLarge, None),
    ],
)
def test_what_could_harm_or_is_not_allowed_is_refused(body, filename, error, reason):
    with pytest.raises(error) as refused:
        look(body, filename)
    assert refused.value.extras.get("reason") == reason
    assert isinstance(refused.value, FileRefused)


def test_a_script_is_found_across_the_pieces_in_which_a_file_is_read():
    padding = (1 << 20) - len(png()) - 3
    with pytest.raises(FileDisguised):
        look(jpeg(after=b"\x2a" * (padding + len(png()) - len(jpeg())) + b"<script>"), "a.jpg")


def test_a_kind_takes_its_own_types_only():
    with pytest.raises(FileTypeRefused) as refused:
        look(png(), "a.png", FileKind("paper", 1_000, ("application/pdf",)))
    assert refused.value.extras == {"allowed": ["application/pdf"]}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.png", "a.png"),
        ("a\0b\r\n.png", "ab.png"),
        ("‮gnp.exe", "gnp.exe"),
        ("", "file"),
        ("...", "file"),
        ("Szép kép.png", "Szép kép.png"),
        ("x" * 300 + ".png", "x" * 190 + ".png"),
    ],
)
def test_a_file_name_is_for_show_and_never_a_path(given, shown):
    assert clean_filename(given) == shown


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FileKind("Bad name", 1, ("image/png",)), "lower case"),
        (FileKind("a", 0, ("image/png",)), "max_bytes 0"),
        (FileKind("a", 1, ()), "takes no content type"),
        (FileKind("a", 1, ("image/svg+xml",)), "names image/svg+xml"),
        (FileKind("a", 1, ("text/html",)), "names text/html"),
    ],
)
def test_a_kind_that_cannot_be_held_to_is_a_mistake(kind, words):
    assert any(words in mistake for mistake in kind.mistakes())
