"""Imports a course: creates, updates and moves rows, deletes none (contract.md 4.4). Importing it again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update

from jiki_core.db import UnitOfWork
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
from jiki_learning.jobs import settle_course
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

# The order of the course first; orphans keep theirs behind it. Uniqueness of positions is checked at the commit.
_PLACE_LEVELS = text("""
    with placed as (
        select levels.id, row_number() over (order by place.position nulls last, levels.position, levels.id) as position
        from learning.levels
        left join unnest(cast(:uuids as uuid[])) with ordinality as place(uuid, position) on place.uuid = levels.uuid
        where levels.course_id = :course_id
    )
    update learning.levels set position = placed.position
    from placed where levels.id = placed.id and levels.position <> placed.position
""")

_PLACE_LESSONS = text("""
    with placed as (
        select lessons.id, coalesce(target.id, lessons.level_id) as level_id,
               row_number() over (
                   partition by coalesce(target.id, lessons.level_id)
                   order by place.position nulls last, lessons.position, lessons.id
               ) as position
        from learning.lessons
        join learning.levels own on own.id = lessons.level_id
        left join unnest(cast(:uuids as uuid[]), cast(:level_uuids as uuid[])) with ordinality
            as place(uuid, level_uuid, position) on place.uuid = lessons.uuid
        left join learning.levels target on target.uuid = place.level_uuid
        where own.course_id = :course_id
    )
    update learning.lessons set level_id = placed.level_id, position = placed.position
    from placed
    where lessons.id = placed.id and (lessons.level_id, lessons.position) <> (placed.level_id, placed.position)
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
    level_of = {lesson.uuid: level.uuid for level in plan.course.levels for lesson in level.lessons}
    _free_slugs(uow, plan.updated)
    openings = [
        *(opening for updated in plan.updated if (opening := _update(uow, updated))),
        *(opening for created in plan.created if (opening := _create(uow, course_id, created, level_of))),
    ]
    _place(uow, course_id, plan.course)
    open_by_lesson(uow, openings)
    link_lessons(uow, course_id)
    unlock_earned_concepts(uow)
    if not plan.is_new_course:
        uow.enqueue(settle_course, course_id=course_id)


def _course_id(uow: UnitOfWork, slug: str) -> int:
    found = uow.session.execute(select(Course.id).where(Course.slug == slug)).scalar_one_or_none()
    if found is not None:
        return found
    position = select(func.coalesce(func.max(Course.position), 0) + 1).scalar_subquery()
    return uow.session.execute(insert(Course).values(slug=slug, position=position).returning(Course.id)).scalar_one()


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


def _create(uow: UnitOfWork, course_id: int, created: Created, level_of: Mapping[str, str]) -> Opening | None:
    """Like `_update`; new rows get their places afterwards, with all others."""
    row = created.row
    match row:
        case LevelContent():
            insert_level(uow, course_id, row)
        case LessonContent():
            insert_lesson(uow, level_of[row.uuid], row)
        case LevelTranslation():
            write_translation(uow, row)
        case ConceptContent():
            return Opening(row.unlocked_by_lesson_slug, concept_id=insert_concept(uow, course_id, row))
        case ChallengeContent():
            return Opening(row.unlocked_by_lesson_slug, challenge_id=insert_challenge(uow, course_id, row))
    return None


def _place(uow: UnitOfWork, course_id: int, course: CourseContent) -> None:
    levels = [UUID(level.uuid) for level in course.levels]
    uow.session.execute(_PLACE_LEVELS, {"course_id": course_id, "uuids": levels})
    lessons = [(UUID(lesson.uuid), UUID(level.uuid)) for level in course.levels for lesson in level.lessons]
    uow.session.execute(
        _PLACE_LESSONS,
        {
            "course_id": course_id,
            "uuids": [lesson for lesson, _ in lessons],
            "level_uuids": [level for _, level in lessons],
        },
    )
