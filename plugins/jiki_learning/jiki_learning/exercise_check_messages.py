"""What `ExerciseChannel` says, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Edited:
    """The whole code as it is now. `revision` is the client's own count, given back with the answer."""

    files: dict[str, str]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Ready:
    """What to expect: `checks` holds `syntax` (at once) and `tests` (when there is a runner), or neither."""

    language: str
    checks: list[str]
    type: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True)
class DraftRestored:
    """What the learner typed last, here or on another device."""

    files: dict[str, str]
    version: int
    saved_at: str | None
    type: Literal["draft"] = "draft"


@dataclass(frozen=True, slots=True)
class DraftSaved:
    """Answers each edit. `version` counts the learner's edits; null when it is only held by this socket for now.

    `syntax_errors` holds {file, line, column, message} of each file that cannot be read; null where nobody looked.
    """

    revision: int
    version: int | None
    syntax_errors: list[dict[str, Any]] | None
    type: Literal["saved"] = "saved"


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """The tests run over the edit with this version."""

    version: int
    type: Literal["checking"] = "checking"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How the tests went, as in a test run's REST read. Nothing of it is stored."""

    version: int
    outcome: str
    summary: dict[str, Any]
    tests: list[dict[str, Any]]
    message: str
    breakage: dict[str, Any] | None
    limits_hit: list[str]
    type: Literal["checked"] = "checked"
