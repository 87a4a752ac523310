"""The body of a submission as the rules take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from jiki_core.errors import BadRequest, DomainError
from jiki_learning.errors import (
    DuplicateFilename,
    FileTooLarge,
    InvalidSubmission,
    LessonInProgress,
    LessonNotFound,
    LessonNotUnlocked,
    LevelNotCompleted,
    TooManyFiles,
    UserLevelNotFound,
)
from jiki_learning.submission_rules import OfferedFile

#: what handing in for a lesson may answer; a lesson that may not be started is 403 at this door (contract.md 2.5)
HAND_IN_ERRORS: tuple[type[DomainError] | Mapping[type[DomainError], int | tuple[int, str]], ...] = (
    LessonNotFound,
    DuplicateFilename,
    FileTooLarge,
    TooManyFiles,
    InvalidSubmission,
    {
        UserLevelNotFound: (403, "level_not_found"),
        LessonInProgress: 403,
        LessonNotUnlocked: 403,
        LevelNotCompleted: 403,
    },
)


@dataclass(frozen=True, slots=True)
class OfferedSubmission:
    """What a client hands in. `has_passed`: whether its tests passed, None when it does not say."""

    files: list[OfferedFile]
    has_passed: bool | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Raises BadRequest for a body without `submission` (contract.md 3.8)."""
        submission = body["submission"]
        if submission is None:
            raise BadRequest(reason="submission_missing")
        files = [OfferedFile(one["filename"], one["code"]) for one in submission["files"] or ()]
        return cls(files, submission["passed"])
