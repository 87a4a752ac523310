"""Zip archives that would harm whoever unpacks them: bombs, nested archives, lying headers, paths that climb out.

Everything the directory declares is checked before a byte is unpacked; then each entry is unpacked into nothing, because
what is declared may be a lie.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from typing import BinaryIO

from jiki_core.storage.errors import ArchiveRefused
from jiki_core.storage.kinds import ArchiveLimits

_NESTED_NAMES = (".zip", ".jar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".cab", ".iso")
#: zip, gzip, bzip2, xz, zstandard, 7z, rar
_NESTED_BEGINNINGS = (
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LOCAL_HEADER_BYTES = 30
_CHUNK = 1 << 16


def check_archive(file: BinaryIO, limits: ArchiveLimits) -> None:
    """Raises ArchiveRefused with a `reason` (a word) for what cannot be unpacked safely within the limits."""
    file.seek(0, 2)
    size = file.tell()
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_directory(entries, archive.start_dir, size, limits)
            unpacked = 0
            for entry in entries:
                unpacked += _unpack(archive, entry, limits.max_unpacked_bytes - unpacked)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, ValueError):
        raise ArchiveRefused(reason="broken") from None


def _check_directory(entries: list[zipfile.ZipInfo], directory_at: int, size: int, limits: ArchiveLimits) -> None:
    if len(entries) > limits.max_entries:
        raise ArchiveRefused(reason="too_many_entries", max_entries=limits.max_entries)
    if len({entry.filename for entry in entries}) != len(entries):
        raise ArchiveRefused(reason="duplicate_name")
    for entry in entries:
        _check_entry(entry)
    declared = sum(entry.file_size for entry in entries)
    if declared > limits.max_unpacked_bytes:
        raise ArchiveRefused(reason="too_large_unpacked", max_unpacked_bytes=limits.max_unpacked_bytes)
    if declared > limits.max_ratio * size:
        raise ArchiveRefused(reason="ratio_too_high", max_ratio=limits.max_ratio)
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            raise ArchiveRefused(reason="overlapping_entries")
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
    if end > directory_at:
        raise ArchiveRefused(reason="overlapping_entries")
    if entries and min(entry.header_offset for entry in entries) > 0:
        raise ArchiveRefused(reason="data_before_archive")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    parts = name.replace("\\", "/").rstrip("/").split("/")
    if not all(parts) or ".." in parts or "\0" in name or ":" in parts[0]:
        raise ArchiveRefused(reason="unsafe_name")
    if entry.flag_bits & 0x1:
        raise ArchiveRefused(reason="encrypted")
    if entry.compress_type not in _METHODS:
        raise ArchiveRefused(reason="unusual_compression")
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveRefused(reason="special_file")
    if name.lower().endswith(_NESTED_NAMES):
        raise ArchiveRefused(reason="nested_archive")


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> int:
    """Bytes that the entry really has."""
    unpacked = 0
    with archive.open(entry) as content:
        while chunk := content.read(_CHUNK):
            if not unpacked and chunk.startswith(_NESTED_BEGINNINGS):
                raise ArchiveRefused(reason="nested_archive")
            unpacked += len(chunk)
            if unpacked > room:
                raise ArchiveRefused(reason="too_large_unpacked")
    if unpacked != entry.file_size:
        raise ArchiveRefused(reason="broken")
    return unpacked
