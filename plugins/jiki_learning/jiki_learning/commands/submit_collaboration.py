"""Hands in what a collaboration has written, as its owner's submission."""

from __future__ import annotations

from jiki_core.db import UnitOfWork
from jiki_learning.commands.share_document import VersionReason, keep_versions
from jiki_learning.commands.submit_exercise import submit_exercise
from jiki_learning.queries.catalogue import find_lesson
from jiki_learning.queries.collaborations import access_collaboration
from jiki_learning.queries.submissions import latest_submission
from jiki_learning.submission_rules import OfferedFile


def submit_collaboration(
    uow: UnitOfWork, user_id: int, identifier: str, *, has_passed: bool | None = None
) -> dict[str, object]:
    """Returns the submission (contract.md 2.2), of which all participants are told.

    Raises CollaborationNotFound, CollaborationOwnerOnly, CollaborationEnded, and what `submit_exercise` raises.
    """
    access = access_collaboration(user_id, identifier)
    access.require_owner()
    access.require_open()
    texts = keep_versions(uow, access.collaboration_id, VersionReason.SUBMITTED)
    files = [OfferedFile(filename, content) for filename, content in texts.items()]
    submit_exercise(uow, user_id, access.lesson_slug, files, has_passed=has_passed)
    submission = latest_submission(user_id, find_lesson(access.lesson_slug))
    uow.broadcast(
        access.stream, {"type": "submitted", "submission_uuid": submission["uuid"]}, durable=True, at_once=True
    )
    return submission
