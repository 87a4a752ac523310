"""The refusals of learning, each with the wire symbol the web client knows (contract.md 2.5, 2.8 and 3.7
to 3.8).

The statuses are the usual ones; where a route answers another (user_level_not_found is 403 on start, 422
on complete), the route says so with `blp.raises({Error: status})`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from jiki_core.errors import DomainError, Forbidden


class CourseNotFound(DomainError):
    symbol = "course_not_found"
    status = 404


class MissingCourse(DomainError):
    """A list of levels was asked for without saying of which course."""

    symbol = "missing_course"
    status = 400


class LevelNotFound(DomainError):
    """No such level; on submissions also: the learner has not reached the level of that lesson (403)."""

    symbol = "level_not_found"
    status = 404


class LessonNotFound(DomainError):
    symbol = "lesson_not_found"
    status = 404


class UserLevelNotFound(DomainError):
    """The learner is not enrolled, or has not reached the level of that lesson."""

    symbol = "user_level_not_found"
    status = 403


class UserLessonNotFound(DomainError):
    """The learner has not started that lesson."""

    symbol = "user_lesson_not_found"
    status = 404


class LessonInProgress(DomainError):
    """Another compulsory lesson of the level is started and not complete."""

    symbol = "lesson_in_progress"


class LessonNotUnlocked(DomainError):
    """Earlier compulsory lessons of the level are not complete."""

    symbol = "lesson_not_unlocked"


class LevelNotCompleted(DomainError):
    """Part of the wire's vocabulary on start, complete and submission. The rules of `progression`
    complete an overdue level instead of refusing (see its docstring), so that no learner is stranded
    behind this answer."""

    symbol = "level_not_completed"


class DuplicateFilename(DomainError):
    symbol = "duplicate_filename"

    def __init__(self, filenames: Sequence[str]) -> None:
        super().__init__(filenames=list(filenames))


class FileTooLarge(DomainError):
    symbol = "file_too_large"

    def __init__(self, filename: str, max_bytes: int) -> None:
        super().__init__(filename=filename, max_bytes=max_bytes)


class TooManyFiles(DomainError):
    symbol = "too_many_files"

    def __init__(self, count: int, maximum: int) -> None:
        super().__init__(count=count, max=maximum)


class InvalidSubmission(DomainError):
    symbol = "invalid_submission"

    def __init__(self, reason: Literal["no_files", "filename_required", "code_required"]) -> None:
        super().__init__(reason=reason)


class ChallengeNotFound(DomainError):
    symbol = "challenge_not_found"
    status = 404


class ConceptNotFound(DomainError):
    symbol = "concept_not_found"
    status = 404


class LanguageAlreadyChosen(DomainError):
    """A course's language is chosen once (contract.md 3.7)."""

    symbol = "language_already_chosen"


class InvalidLanguage(DomainError):
    symbol = "invalid_language"


class PremiumRequired(DomainError):
    """Challenges, but for the list of them, are for premium members."""

    symbol = "premium_required"
    status = 403


class ChallengeLocked(DomainError):
    """The lesson that unlocks the challenge is not complete."""

    symbol = "challenge_locked"
    status = 403


class UserChallengeNotFound(DomainError):
    """The learner has not started that challenge."""

    symbol = "user_challenge_not_found"
    status = 404


class ConceptLocked(DomainError):
    """The lesson that unlocks the concept is not complete."""

    symbol = "concept_locked"
    status = 403


class UserVideoNotFound(DomainError):
    symbol = "user_video_not_found"
    status = 404


class BadgeNotFound(DomainError):
    """No such badge, or one that the learner has not earned."""

    symbol = "badge_not_found"
    status = 404


class AccessDenied(DomainError):
    """The learner's plan does not include this conversation with the assistant."""

    symbol = "access_denied"
    status = 403


class CaptchaRefused(Forbidden):
    """The captcha was not solved. The symbol `invalid_captcha` belongs to auth; the door tells it."""


class SignatureRefused(Forbidden):
    """A message of the assistant that the proxy did not sign. The symbol `invalid_signature` belongs to auth; the door
    tells it."""


class InvalidEvent(DomainError):
    """An analytics event that the contract does not name."""

    symbol = "invalid_event"
