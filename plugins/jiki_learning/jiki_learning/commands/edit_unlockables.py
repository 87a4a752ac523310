"""Creates, changes and deletes concepts and challenges, as an editor does it (contract.md 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select, update

from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_learning.commands.content_rows import forget_former_slug, rename_concept
from jiki_learning.commands.edit_content import check_slug, editing
from jiki_learning.commands.unlock_edges import Opening, open_by_lesson
from jiki_learning.content.course import is_slug
from jiki_learning.errors import ChallengeNotFound, ConceptNotFound
from jiki_learning.models import Challenge, Concept, Course, Lesson, Level
from jiki_learning.queries.own_settings import learning_settings

UNLOCKED_BY = "unlocked_by_lesson_id"


def create_concept(uow: UnitOfWork, values: Mapping[str, Any]) -> int:
    """Returns its id. `values`: `slug`, optionally `unlocked_by_lesson_id`. Raises ValidationFailed."""
    with editing(uow):
        check_slug(uow, Concept, values["slug"])
        lesson = _lesson(uow, values.get(UNLOCKED_BY))
        forget_former_slug(uow, values["slug"])
        concept_id = uow.session.execute(
            insert(Concept)
            .values(uuid=uuid4(), slug=values["slug"], course_id=_course_id(uow, lesson))
            .returning(Concept.id)
        ).scalar_one()
        if lesson is not None:
            open_by_lesson(uow, [Opening(lesson.slug, concept_id=concept_id)])
    return concept_id


def change_concept(uow: UnitOfWork, concept_id: int, values: Mapping[str, Any]) -> None:
    """The former slug goes on finding it. Raises ConceptNotFound, ValidationFailed."""
    stored = uow.session.execute(select(Concept.slug).where(Concept.id == concept_id)).scalar_one_or_none()
    if stored is None:
        raise ConceptNotFound()
    with editing(uow):
        if "slug" in values:
            check_slug(uow, Concept, values["slug"], except_id=concept_id)
            uow.session.execute(update(Concept).where(Concept.id == concept_id).values(slug=values["slug"]))
            rename_concept(uow, concept_id, stored, values["slug"])
        if UNLOCKED_BY in values:
            lesson = _lesson(uow, values[UNLOCKED_BY])
            open_by_lesson(uow, [Opening(lesson.slug if lesson else None, concept_id=concept_id)])


def delete_concept(uow: UnitOfWork, concept_id: int) -> None:
    """With it go what learners unlocked of it and its former slugs. Raises ConceptNotFound."""
    with editing(uow):
        gone = delete(Concept).where(Concept.id == concept_id).returning(Concept.id)
        if uow.session.execute(gone).scalar_one_or_none() is None:
            raise ConceptNotFound()


def create_challenge(uow: UnitOfWork, values: Mapping[str, Any]) -> int:
    """Returns its id. `values`: `slug`, `exercise_slug`, optionally `unlocked_by_lesson_id`. Raises ValidationFailed."""
    with editing(uow):
        check_slug(uow, Challenge, values["slug"])
        _check_exercise_slug(values["exercise_slug"])
        lesson = _lesson(uow, values.get(UNLOCKED_BY))
        challenge_id = uow.session.execute(
            insert(Challenge)
            .values(
                uuid=uuid4(),
                slug=values["slug"],
                exercise_slug=values["exercise_slug"],
                course_id=_course_id(uow, lesson),
            )
            .returning(Challenge.id)
        ).scalar_one()
        if lesson is not None:
            open_by_lesson(uow, [Opening(lesson.slug, challenge_id=challenge_id)])
    return challenge_id


def change_challenge(uow: UnitOfWork, challenge_id: int, values: Mapping[str, Any]) -> None:
    """Raises ChallengeNotFound, ValidationFailed."""
    if uow.session.execute(select(Challenge.id).where(Challenge.id == challenge_id)).scalar_one_or_none() is None:
        raise ChallengeNotFound()
    with editing(uow):
        slugs = {name: values[name] for name in ("slug", "exercise_slug") if name in values}
        if "slug" in slugs:
            check_slug(uow, Challenge, slugs["slug"], except_id=challenge_id)
        if "exercise_slug" in slugs:
            _check_exercise_slug(slugs["exercise_slug"])
        if slugs:
            uow.session.execute(update(Challenge).where(Challenge.id == challenge_id).values(**slugs))
        if UNLOCKED_BY in values:
            lesson = _lesson(uow, values[UNLOCKED_BY])
            open_by_lesson(uow, [Opening(lesson.slug if lesson else None, challenge_id=challenge_id)])


def delete_challenge(uow: UnitOfWork, challenge_id: int) -> None:
    """With it go learners' progress and submissions. Raises ChallengeNotFound."""
    with editing(uow):
        gone = delete(Challenge).where(Challenge.id == challenge_id).returning(Challenge.id)
        if uow.session.execute(gone).scalar_one_or_none() is None:
            raise ChallengeNotFound()


def _check_exercise_slug(slug: str) -> None:
    if not is_slug(slug):
        raise ValidationFailed({"exercise_slug": [FieldError("invalid")]})


def _lesson(uow: UnitOfWork, lesson_id: int | None) -> Row[str, int] | None:
    """The lesson that is to unlock it. Raises ValidationFailed for an id that no lesson has."""
    if lesson_id is None:
        return None
    lesson = uow.session.execute(
        select(Lesson.slug, Level.course_id).join(Level, Level.id == Lesson.level_id).where(Lesson.id == lesson_id)
    ).one_or_none()
    if lesson is None:
        raise ValidationFailed({UNLOCKED_BY: [FieldError("inclusion")]})
    return lesson


def _course_id(uow: UnitOfWork, lesson: Row[str, int] | None) -> int | None:
    """Whose import will take it over: the lesson's course, else the default course, if it is there."""
    if lesson is not None:
        return lesson[1]
    default = learning_settings().default_course_slug
    return uow.session.execute(select(Course.id).where(Course.slug == default)).scalar_one_or_none()
