"""Imports a course: creates, updates and moves rows, deletes none (contract.md 4.4). Importing it again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from jiki_core.db import UnitOfWork
from sqlalchemy import delete, func, insert, select, text, update

from jiki_learning.commands.award_badges import ensure_badges
from jiki_learning.commands.content_lock import lock_content
from jiki_learning.commands.content_rows import (
    insert_challenge,
    insert_concept,
    insert_lesson,
    insert_level,
    update_challenge,
    update_concept,
    update_lesson,
    update_level,
    write_translation,
)
from jiki_learning.commands.enrol import enrol
from jiki_learning.commands.unlock_edges import Opening, link_lessons, open_by_lesson, unlock_earned_concepts
from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    CourseContent,
    LessonContent,
    LevelContent,
    LevelTranslation,
)
from jiki_learning.content.import_plan import Created, ImportPlan, Kind, Updated, plan_import
from jiki_learning.models import AwaitedEnrolment, Challenge, Concept, Course, Lesson, Level
from jiki_learning.queries.catalogue import content_changed
from jiki_learning.queries.stored_content import stored_snapshot

#: rows that have a slug, which is unique among their kind
_NAMED: dict[Kind, Any] = {
    Kind.LEVEL: Level,
    Kind.LESSON: Lesson,
    Kind.CONCEPT: Concept,
    Kind.CHALLENGE: Challenge,
}

_PLACE_LEVELS = text("""
    update learning.levels set position = place.position
    from unnest(cast(:uuids as uuid[])) with ordinality as place(uuid, position)
    where levels.uuid = place.uuid and levels.position <> place.position
""")

_PLACE_LESSONS = text("""
    update learning.lessons set level_id = levels.id, position = place.position
    from unnest(cast(:uuids as uuid[]), cast(:level_uuids as uuid[]), cast(:positions as integer[]))
         as place(uuid, level_uuid, position)
    join learning.levels on levels.uuid = place.level_uuid
    where lessons.uuid = place.uuid and (lessons.level_id, lessons.position) <> (levels.id, place.position)
""")


def plan_course_import(course: CourseContent) -> ImportPlan:
    """What an import would do, without doing it. Raises ContentRefused for slugs and UUIDs that other courses use."""
    return plan_import(stored_snapshot(course.slug), course)


def import_course(uow: UnitOfWork, course: CourseContent, *, default_course_slug: str) -> ImportPlan:
    """Returns what it did. Raises ContentRefused, with nothing written.

    The first import of the default course enrols the accounts that were made before it.
    """
    lock_content(uow)
    plan = plan_course_import(course)
    ensure_badges(uow)
    if not plan.is_empty:
        content_changed(uow)
        _write(uow, plan)
    if course.slug == default_course_slug:
        for user_id in uow.session.scalars(delete(AwaitedEnrolment).returning(AwaitedEnrolment.user_id)).all():
            enrol(uow, user_id, course.slug)
    return plan


def _write(uow: UnitOfWork, plan: ImportPlan) -> None:
    """Updates before inserts, so that a new row may have the slug that an old one gives up."""
    course_id = _course_id(uow, plan.course.slug)
    _free_slugs(uow, plan.updated)
    openings = [
        *(opening for updated in plan.updated if (opening := _update(uow, updated))),
        *(opening for created in plan.created if (opening := _create(uow, course_id, created, plan))),
    ]
    _place(uow, plan)
    open_by_lesson(uow, openings)
    link_lessons(uow, course_id)
    unlock_earned_concepts(uow)


def _course_id(uow: UnitOfWork, slug: str) -> int:
    found = uow.session.execute(select(Course.id).where(Course.slug == slug)).scalar_one_or_none()
    if found is not None:
        return found
    position = select(func.coalesce(func.max(Course.position), 0) + 1).scalar_subquery()
    return uow.session.execute(
        insert(Course).values(slug=slug, position=position).returning(Course.id)
    ).scalar_one()


def _free_slugs(uow: UnitOfWork, updates: Iterable[Updated]) -> None:
    """Rows that change slugs with each other would meet for a moment; no slug begins with a tilde."""
    for updated in updates:
        model = _NAMED.get(updated.kind)
        if model is not None and any(change.name == "slug" for change in updated.changes):
            assert not isinstance(updated.stored, LevelTranslation), "translations are not named"
            stored_uuid = updated.stored.uuid
            uow.session.execute(update(model).where(model.uuid == UUID(stored_uuid)).values(slug=f"~{stored_uuid}"))


def _update(uow: UnitOfWork, updated: Updated) -> Opening | None:
    """Returns how the row is opened, for those that lessons open."""
    row, stored = updated.row, updated.stored
    has_new_exercise = any(change.name.startswith("exercise.") for change in updated.changes)
    match row, stored:
        case LevelContent(), LevelContent():
            update_level(uow, stored.uuid, row)
        case LessonContent(), LessonContent():
            update_lesson(uow, stored.uuid, row, has_new_exercise=has_new_exercise)
        case LevelTranslation(), _:
            write_translation(uow, row)
        case ConceptContent(), ConceptContent():
            return Opening(row.unlocked_by_lesson_slug, concept_id=update_concept(uow, stored, row))
        case ChallengeContent(), ChallengeContent():
            challenge_id = update_challenge(uow, stored.uuid, row, has_new_exercise=has_new_exercise)
            return Opening(row.unlocked_by_lesson_slug, challenge_id=challenge_id)
    return None


def _create(uow: UnitOfWork, course_id: int, created: Created, plan: ImportPlan) -> Opening | None:
    row = created.row
    match row:
        case LevelContent():
            insert_level(uow, course_id, row, position=plan.course.levels.index(row) + 1)
        case LessonContent():
            level = next(one for one in plan.course.levels if row in one.lessons)
            insert_lesson(uow, level.uuid, row, position=level.lessons.index(row) + 1)
        case LevelTranslation():
            write_translation(uow, row)
        case ConceptContent():
            return Opening(row.unlocked_by_lesson_slug, concept_id=insert_concept(uow, course_id, row))
        case ChallengeContent():
            return Opening(row.unlocked_by_lesson_slug, challenge_id=insert_challenge(uow, course_id, row))
    return None


def _place(uow: UnitOfWork, plan: ImportPlan) -> None:
    """Levels and lessons in the order of the course, orphans behind the others of their level."""
    orphans = {orphan.stored for orphan in plan.orphans if isinstance(orphan.stored, LevelContent)}
