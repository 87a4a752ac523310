"""Adds files to submissions and lessons, takes them off, and keeps images of texts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from jiki_core.db import Model, UnitOfWork
from jiki_core.errors import DomainError, NotFound
from jiki_core.storage import StagedFile, StoredFile, attach, attached, detach
from jiki_learning.errors import LessonNotFound, TooManyFiles
from jiki_learning.file_kinds import MAX_MATERIALS, MAX_SUBMISSION_ATTACHMENTS
from jiki_learning.models import ExerciseSubmission, Image, Lesson
from jiki_learning.queries.attached_files import ATTACHMENT, MATERIAL


def attach_to_submission(uow: UnitOfWork, submission_id: int, staged: StagedFile) -> StoredFile:
    """The submission is known to be the learner's. Raises NotFound (gone meanwhile), TooManyFiles, UploadNotFound."""
    _lock(uow, ExerciseSubmission, submission_id, NotFound)
    _refuse_more(ExerciseSubmission, submission_id, ATTACHMENT, MAX_SUBMISSION_ATTACHMENTS)
    return attach(uow, staged, ExerciseSubmission, submission_id, name=ATTACHMENT)


def detach_from_submission(uow: UnitOfWork, submission_id: int, file_id: str) -> None:
    """Raises NotFound for a file that the submission has not."""
    if not detach(uow, ExerciseSubmission, submission_id, name=ATTACHMENT, file_id=_id_of(file_id)):
        raise NotFound()


def add_material(uow: UnitOfWork, lesson_id: int, staged: StagedFile) -> StoredFile:
    """Raises LessonNotFound (gone meanwhile), TooManyFiles, UploadNotFound."""
    _lock(uow, Lesson, lesson_id, LessonNotFound)
    _refuse_more(Lesson, lesson_id, MATERIAL, MAX_MATERIALS)
    return attach(uow, staged, Lesson, lesson_id, name=MATERIAL)


def remove_material(uow: UnitOfWork, lesson_id: int, file_id: str) -> None:
    """Raises NotFound for a file that the lesson has not."""
    if not detach(uow, Lesson, lesson_id, name=MATERIAL, file_id=_id_of(file_id)):
        raise NotFound()


def keep_image(uow: UnitOfWork, staged: StagedFile) -> StoredFile:
    """An image with a row of its own, for as long as that is there: texts name its URL."""
    image_id = uow.session.execute(insert(Image).values(stored_at=uow.now).returning(Image.id)).scalar_one()
    return attach(uow, staged, Image, image_id, name="image")


def _lock(uow: UnitOfWork, record: type[Any], record_id: int, missing: type[DomainError]) -> None:
    """Two files at once are counted one after the other."""
    found = uow.session.execute(select(record.id).where(record.id == record_id).with_for_update()).scalar_one_or_none()
    if found is None:
        raise missing()


def _refuse_more(record: type[Model], record_id: int, name: str, maximum: int) -> None:
    count = len(attached(record, [record_id], name=name)[record_id]) + 1
    if count > maximum:
        raise TooManyFiles(count=count, maximum=maximum)


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None
