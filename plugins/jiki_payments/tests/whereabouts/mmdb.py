"""Writes small country databases in MaxMind's format (spec 2.0), for tests: a search tree of 24-bit records, and maps."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path
from typing import Any

_SEPARATOR = bytes(16)
_MARKER = b"\xab\xcd\xefMaxMind.com"


def write_mmdb(path: Path, records: dict[str, dict[str, Any]]) -> Path:
    """`records`: network in CIDR notation (IPv4) -> what the database says of it."""
    tree: list[list[Any]] = [[None, None]]
    for network, record in records.items():
        _insert(tree, ipaddress.IPv4Network(network), record)
    data, offsets = b"", {}
    for record in records.values():
        encoded = _encode(record)
        if encoded not in offsets:
            offsets[encoded] = len(data)
            data += encoded
    nodes = b"".join(struct.pack(">I", _pointer(side, len(tree), offsets))[1:] for node in tree for side in node)
    metadata = {
        "binary_format_major_version": _UInt16(2),
        "binary_format_minor_version": _UInt16(0),
        "build_epoch": _UInt64(1_790_000_000),
        "database_type": "Test-Country",
        "description": {"en": "for tests"},
        "ip_version": _UInt16(4),
        "languages": ["en"],
        "node_count": _UInt32(len(tree)),
        "record_size": _UInt16(24),
    }
    path.write_bytes(nodes + _SEPARATOR + data + _MARKER + _encode(metadata))
    return path


class _UInt16(int):
    type_number = 5


class _UInt32(int):
    type_number = 6


class _UInt64(int):
    type_number = 9


def _insert(tree: list[list[Any]], network: ipaddress.IPv4Network, record: dict[str, Any]) -> None:
    address = int(network.network_address)
    position = 0
    for depth in range(network.prefixlen):
        bit = address >> (31 - depth) & 1
        if depth == network.prefixlen - 1:
            tree[position][bit] = record
        elif isinstance(tree[position][bit], int):
            position = tree[position][bit]
        else:
            tree.append([None, None])
            tree[position][bit] = len(tree) - 1
            position = len(tree) - 1


def _pointer(side: Any, nodes: int, offsets: dict[bytes, int]) -> int:
    if side is None:
        return nodes
    return side if isinstance(side, int) else nodes + 16 + offsets[_encode(side)]


def _encode(value: Any) -> bytes:
    if isinstance(value, dict):
        return _control(7, len(value)) + b"".join(_encode(key) + _encode(one) for key, one in value.items())
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(_encode(one) for one in value)
    if isinstance(value, str):
        raw = value.encode()
        return _control(2, len(raw)) + raw
    raw = int(value).to_bytes(8, "big").lstrip(b"\0")
    return _control(value.type_number, len(raw)) + raw


def _control(type_number: int, size: int) -> bytes:
    assert size < 29, "the tests' values are short"
    if type_number > 7:
        return bytes([size, type_number - 7])
    return bytes([type_number << 5 | size])
