"""Writes single rows of content from the values of `content.course`; positions and edges are written elsewhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from jiki_core.db import UnitOfWork
from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    ExerciseContent,
    LessonContent,
    LevelContent,
    LevelTranslation,
)
from jiki_learning.models import (
    Challenge,
    Concept,
    Exercise,
    ExerciseFile,
    FormerConceptSlug,
    Lesson,
    Level,
)
from jiki_learning.models import LevelTranslation as StoredTranslation

#: of rows that have no place yet; positions count from 1 and are unique at the commit
UNPLACED = 0


def insert_level(uow: UnitOfWork, course_id: int, level: LevelContent) -> int:
    """Returns the row's id, as all inserts here. The caller gives it a place before the commit."""
    return _insert(uow, Level, course_id=course_id, position=UNPLACED, **_level_values(level))


def update_level(uow: UnitOfWork, stored_uuid: str, level: LevelContent) -> None:
    uow.session.execute(update(Level).where(Level.uuid == UUID(stored_uuid)).values(_level_values(level)))


def insert_lesson(uow: UnitOfWork, level_uuid: str, lesson: LessonContent) -> int:
    """The caller gives it a place before the commit."""
    level_id = uow.session.execute(select(Level.id).where(Level.uuid == UUID(level_uuid))).scalar_one()
    lesson_id = _insert(uow, Lesson, level_id=level_id, position=UNPLACED, **_lesson_values(lesson))
    _write_exercise(uow, lesson.exercise, lesson_id=lesson_id)
    return lesson_id


def update_lesson(uow: UnitOfWork, stored_uuid: str, lesson: LessonContent, *, has_new_exercise: bool) -> None:
    lesson_id = uow.session.execute(
        update(Lesson).where(Lesson.uuid == UUID(stored_uuid)).values(_lesson_values(lesson)).returning(Lesson.id)
    ).scalar_one()
    if has_new_exercise:
        uow.session.execute(delete(Exercise).where(Exercise.lesson_id == lesson_id))
        _write_exercise(uow, lesson.exercise, lesson_id=lesson_id)


def write_translation(uow: UnitOfWork, translation: LevelTranslation) -> None:
    texts = {
        "milestone_email_subject": translation.milestone_email_subject,
        "milestone_email_content_markdown": translation.milestone_email_content_markdown,
    }
    level_id = select(Level.id).where(Level.uuid == UUID(translation.level_uuid)).scalar_subquery()
    uow.session.execute(
        upsert(StoredTranslation)
        .values(level_id=level_id, locale=translation.locale, **texts)
        .on_conflict_do_update(index_elements=[StoredTranslation.level_id, StoredTranslation.locale], set_=texts)
    )


def insert_concept(uow: UnitOfWork, course_id: int | None, concept: ConceptContent) -> int:
    forget_former_slug(uow, concept.slug)
    return _insert(uow, Concept, course_id=course_id, uuid=UUID(concept.uuid), slug=concept.slug)


def update_concept(uow: UnitOfWork, stored: ConceptContent, concept: ConceptContent) -> int:
    """The old slug goes on finding it (contract.md 4.1)."""
    concept_id = uow.session.execute(
        update(Concept)
        .where(Concept.uuid == UUID(stored.uuid))
        .values(uuid=UUID(concept.uuid), slug=concept.slug)
        .returning(Concept.id)
    ).scalar_one()
    rename_concept(uow, concept_id, stored.slug, concept.slug)
    return concept_id


def rename_concept(uow: UnitOfWork, concept_id: int, old: str, new: str) -> None:
    """Keeps the former slug; a present slug is never also a former one."""
    forget_former_slug(uow, new)
    if old != new:
        uow.session.execute(
            upsert(FormerConceptSlug)
            .values(slug=old, concept_id=concept_id)
            .on_conflict_do_update(index_elements=[FormerConceptSlug.slug], set_={"concept_id": concept_id})
        )


def forget_former_slug(uow: UnitOfWork, slug: str) -> None:
    uow.session.execute(delete(FormerConceptSlug).where(FormerConceptSlug.slug == slug))


def insert_challenge(uow: UnitOfWork, course_id: int | None, challenge: ChallengeContent) -> int:
    challenge_id = _insert(
        uow,
        Challenge,
        course_id=course_id,
        uuid=UUID(challenge.uuid),
        slug=challenge.slug,
        exercise_slug=challenge.exercise_slug,
    )
    _write_exercise(uow, challenge.exercise, challenge_id=challenge_id)
    return challenge_id


def update_challenge(uow: UnitOfWork, stored_uuid: str, challenge: ChallengeContent, *, has_new_exercise: bool) -> int:
    challenge_id = uow.session.execute(
        update(Challenge)
        .where(Challenge.uuid == UUID(stored_uuid))
        .values(uuid=UUID(challenge.uuid), slug=challenge.slug, exercise_slug=challenge.exercise_slug)
        .returning(Challenge.id)
    ).scalar_one()
    if has_new_exercise:
        uow.session.execute(delete(Exercise).where(Exercise.challenge_id == challenge_id))
        _write_exercise(uow, challenge.exercise, challenge_id=challenge_id)
    return challenge_id


def _write_exercise(
    uow: UnitOfWork, exercise: ExerciseContent | None, *, lesson_id: int | None = None, challenge_id: int | None = None
) -> None:
    if exercise is None:
        return
    exercise_id = _insert(
        uow,
        Exercise,
        lesson_id=lesson_id,
        challenge_id=challenge_id,
        title=exercise.title,
        blurb=exercise.blurb,
        introduction=exercise.introduction,
        instructions=exercise.instructions,
        hints=exercise.hints,
        difficulty=exercise.difficulty,
        tests_decide=exercise.tests_decide,
        concepts=list(exercise.concepts),
        prerequisites=list(exercise.prerequisites),
        practices=list(exercise.practices),
    )
    if exercise.files:
        uow.session.execute(
            insert(ExerciseFile),
            [
                {
                    "exercise_id": exercise_id,
                    "path": file.path,
                    "position": position,
                    "role": file.role.value,
                    "content": file.content,
                }
                for position, file in enumerate(exercise.files, start=1)
            ],
        )


def _insert(uow: UnitOfWork, model: Any, **values: Any) -> int:
    inserted: int = uow.session.execute(insert(model).values(**values).returning(model.id)).scalar_one()
    return inserted


def _level_values(level: LevelContent) -> dict[str, Any]:
    return {
        "uuid": UUID(level.uuid),
        "slug": level.slug,
        "milestone_email_subject": level.milestone_email_subject,
        "milestone_email_content_markdown": level.milestone_email_content_markdown,
        "milestone_email_image_url": level.milestone_email_image_url,
    }


def _lesson_values(lesson: LessonContent) -> dict[str, Any]:
    return {
        "uuid": UUID(lesson.uuid),
        "slug": lesson.slug,
        "type": lesson.type.value,
        "is_optional": lesson.is_optional,
        "data": lesson.data,
        "walkthrough_video_data": lesson.walkthrough_video_data,
    }
