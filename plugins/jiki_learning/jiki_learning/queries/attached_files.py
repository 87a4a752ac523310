"""Files of submissions and lessons, as learners and editors see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from jiki_core.db import reading
from jiki_core.errors import NotFound
from jiki_core.http import timestamp
from jiki_core.storage import StoredFile, attached
from jiki_learning.errors import LessonNotFound
from jiki_learning.models import ExerciseSubmission, Lesson

#: what the files are to their records
ATTACHMENT = "attachment"
MATERIAL = "material"

_OWN_SUBMISSION = text("""
    select s.id from learning.exercise_submissions s
    left join learning.user_lessons l on l.id = s.user_lesson_id
    left join learning.user_challenges c on c.id = s.user_challenge_id
    where s.uuid = :uuid and coalesce(l.user_id, c.user_id) = :user_id
""")


def own_submission_id(user_id: int, uuid: str) -> int:
    """Raises NotFound for a submission that is not the learner's."""
    try:
        wanted = UUID(uuid)
    except ValueError:
        raise NotFound() from None
    found: int | None = reading().execute(_OWN_SUBMISSION, {"uuid": wanted, "user_id": user_id}).scalar_one_or_none()
    if found is None:
        raise NotFound()
    return found


def lesson_of_level(level_id: int, lesson_id: int) -> int:
    """The lesson's id. Raises LessonNotFound for a lesson that is not the level's."""
    wanted = select(Lesson.id).where(Lesson.id == lesson_id, Lesson.level_id == level_id)
    found = reading().execute(wanted).scalar_one_or_none()
    if found is None:
        raise LessonNotFound()
    return found


def submission_files(submission_id: int) -> list[dict[str, Any]]:
    """Attachments of a submission, oldest first, with links that work for a while."""
    return [file_shape(one) for one in attached(ExerciseSubmission, [submission_id], name=ATTACHMENT)[submission_id]]


def lesson_materials(lesson_id: int) -> list[dict[str, Any]]:
    """Materials of a lesson, oldest first, with links that work for a while."""
    return [file_shape(one) for one in attached(Lesson, [lesson_id], name=MATERIAL)[lesson_id]]


def file_shape(file: StoredFile) -> dict[str, Any]:
    """`url` is a link for the caller only, and for a while; ask again rather than keep it."""
    return {
        "id": str(file.id),
        "filename": file.filename,
        "content_type": file.content_type,
        "byte_size": file.byte_size,
        "sha256": file.sha256.hex(),
        "width": file.width,
        "height": file.height,
        "created_at": timestamp(file.created_at),
        "url": file.download_url(),
    }
