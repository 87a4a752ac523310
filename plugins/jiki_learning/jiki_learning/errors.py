"""The refusals of learning, each with the wire symbol the web client knows (contract.md 2.5, 2.8 and 3.7
to 3.8).

The statuses are the usual ones; where a route answers another (user_level_not_found is 403 on start, 422
on complete), the route says so with `blp.raises({Error: status})`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from jiki_core.errors import DomainError, Forbidden
from jiki_core.storage import errors as files


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


class FileTooLarge(files.FileTooLarge):
    """A file of a submission's code: the same failure, `filename` and `max_bytes`, as of any other file."""


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


class CollaborationNotFound(DomainError):
    """No such collaboration, or none that the learner takes part in."""

    symbol = "collaboration_not_found"
    status = 404


class CollaborationEnded(DomainError):
    symbol = "collaboration_ended"
    status = 409


class CollaborationMoved(DomainError):
    """It ended, or somebody was removed, at this very moment; whoever may go on asks again."""

    symbol = "collaboration_moved"
    status = 409


class CollaborationOwnerOnly(DomainError):
    """Only who began the collaboration may do that."""

    symbol = "collaboration_owner_only"
    status = 403


class CollaborationReadOnly(DomainError):
    """The participant may look on, not edit."""

    symbol = "collaboration_read_only"
    status = 403


class CollaborationFull(DomainError):
    symbol = "collaboration_full"

    def __init__(self, maximum: int) -> None:
        super().__init__(max=maximum)


class TooManyCollaborations(DomainError):
    """The learner has as many open collaborations as one may have."""

    symbol = "too_many_collaborations"

    def __init__(self, maximum: int) -> None:
        super().__init__(max=maximum)


class InvalidInvitation(DomainError):
    """A link that is unknown, expired or withdrawn, or whose bearer was removed: told alike."""

    symbol = "invalid_invitation"
    status = 404


class ParticipantNotFound(DomainError):
    symbol = "participant_not_found"
    status = 404


class DocumentNotFound(DomainError):
    """The collaboration has no file of that name."""

    symbol = "document_not_found"
    status = 404


class InvalidUpdate(DomainError):
    """Bytes that are no message of the sync protocol, or no update of a document."""

    symbol = "invalid_update"


class UpdateTooLarge(DomainError):
    """More at once than a socket takes; the REST route for updates takes more."""

    symbol = "update_too_large"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes)


class DocumentTooLarge(DomainError):
    """The document, with what it must remember of deleted text, may not grow further."""

    symbol = "document_too_large"

    def __init__(self, filename: str, max_bytes: int) -> None:
        super().__init__(filename=filename, max_bytes=max_bytes)


class DraftTooLarge(DomainError):
    """More files, or a larger one, than a submission may have."""

    symbol = "draft_too_large"
