"""Archives that lie, grow, nest or climb are refused before anybody unpacks them (trust.md 1.5, "Uploads")."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from jiki_core.storage import ArchiveLimits
from jiki_core.storage.archives import check_archive
from jiki_core.storage.errors import ArchiveRefused
from tests.storage.samples import archive

LIMITS = ArchiveLimits(max_entries=20, max_unpacked_bytes=1_000_000, max_ratio=100)


def check(body: bytes, limits: ArchiveLimits = LIMITS) -> None:
    check_archive(io.BytesIO(body), limits)


def with_directory(body: bytes, **changes: int) -> bytes:
    """The archive with fields of its first entry's central directory record changed."""
    offsets = {
        "flags": (8, "<H"),
        "compressed": (20, "<I"),
        "size": (24, "<I"),
        "attributes": (38, "<I"),
        "at": (42, "<I"),
    }
    changed, start = bytearray(body), body.index(b"PK\x01\x02")
    for name, value in changes.items():
        offset, form = offsets[name]
        struct.pack_into(form, changed, start + offset, value)
    return bytes(changed)


def symbolic_link() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        file.writestr(entry, "/etc/passwd")
    return held.getvalue()


def duplicated() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a", "2")
    return held.getvalue()


PLAIN = archive({"notes/a.txt": b"hello", "notes/b.txt": b"there"})


@pytest.mark.parametrize(
    "body",
    [PLAIN, archive({}), archive({"a.bin": b"\x1e" * 500}, method=zipfile.ZIP_STORED), archive({"folder/": b""})],
)
def test_an_ordinary_archive_is_taken(body):
    check(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (archive({f"{number}": b"" for number in range(21)}), "too_many_entries"),
        (archive({"a": b"\0" * 1_000_001}), "too_large_unpacked"),
        (archive({"a": b"\0" * 500_000}), "ratio_too_high"),
        (with_directory(archive({"a": b"ab" * 50_000}), size=10), "broken"),
        (with_directory(PLAIN, size=4_000_000_000), "too_large_unpacked"),
        (with_directory(PLAIN, flags=1), "encrypted"),
        (archive({"inner.zip": PLAIN}), "nested_archive"),
        (archive({"innocent.txt": PLAIN}), "nested_archive"),
        (archive({"innocent.txt": b"\x1f\x8b\x08 gzip"}), "nested_archive"),
        (archive({"../up.txt": b"x"}), "unsafe_name"),
        (archive({"/etc/passwd": b"x"}), "unsafe_name"),
        (archive({"a/../../up.txt": b"x"}), "unsafe_name"),
        (archive({"a\\..\\up.txt": b"x"}), "unsafe_name"),
        (archive({"C:/autoexec.bat": b"x"}), "unsafe_name"),
        (archive({"a": b"x" * 100}, method=zipfile.ZIP_LZMA), "unusual_compression"),
        (symbolic_link(), "special_file"),
        (duplicated(), "duplicate_name"),
        (b"#!/bin/sh\nexit\n" + PLAIN, "data_before_archive"),
        (PLAIN[:-30], "broken"),
        (b"PK\x03\x04 nothing else", "broken"),
    ],
)
def test_an_archive_that_would_harm_is_refused(body, reason):
    with pytest.raises(ArchiveRefused) as refused:
        check(body)
    assert refused.value.extras["reason"] == reason


def test_entries_that_share_their_bytes_are_refused():
    """The bomb without recursion: many directory records that point at one long run of data."""
    body = archive({"a": b"x" * 40_000, "b": b"y" * 40_000}, method=zipfile.ZIP_STORED)
    second = body.index(b"PK\x01\x02", body.index(b"PK\x01\x02") + 4)
    changed = bytearray(body)
    struct.pack_into("<I", changed, second + 42, 0)
    with pytest.raises(ArchiveRefused) as refused:
        check(bytes(changed))
    assert refused.value.extras["reason"] == "overlapping_entries"
