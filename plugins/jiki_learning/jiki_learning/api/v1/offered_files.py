"""The body of a submission as the rules take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jiki_core.errors import BadRequest
from jiki_learning.submission_rules import OfferedFile


def offered_files(body: Mapping[str, Any]) -> list[OfferedFile]:
    """Raises BadRequest for a body without `submission` (contract.md 3.8)."""
    if body["submission"] is None:
        raise BadRequest(reason="submission_missing")
    return [OfferedFile(one["filename"], one["code"]) for one in body["submission"]["files"] or ()]
