"""Row ids in paths: text that is no id names nothing."""

from __future__ import annotations

from jiki_core.errors import DomainError

_LARGEST = 2**63 - 1


def row_id(text: str, missing: type[DomainError]) -> int:
    """The id; raises `missing` for text that cannot be one."""
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= _LARGEST:
        return int(text)
    raise missing()
