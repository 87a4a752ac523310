"""Writes the edges from lessons to what completing them opens, and opens what learners have earned already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, text

from jiki_core.db import UnitOfWork
from jiki_learning.models import Lesson, UnlockEdge

# Lesson n of a course leads to lesson n + 1, over the borders of levels.
_LINK = text("""
    with placed as (
        select lessons.id, lead(lessons.id) over (order by levels.position, lessons.position) as next_id
        from learning.lessons join learning.levels on levels.id = lessons.level_id
        where levels.course_id = :course_id
    ), stale as (
        delete from learning.unlock_edges edges using placed
        where edges.lesson_id = placed.id and edges.next_lesson_id is not null
          and edges.next_lesson_id is distinct from placed.next_id
    )
    insert into learning.unlock_edges (lesson_id, next_lesson_id)
    select id, next_id from placed where next_id is not null
    on conflict (lesson_id, next_lesson_id) do nothing
""")

_EARNED = text("""
    insert into learning.user_concepts (user_id, concept_id, unlocked_at)
    select done.user_id, edges.concept_id, :now
    from learning.unlock_edges edges
    join learning.concepts on concepts.id = edges.concept_id
    join learning.user_lessons done on done.lesson_id = edges.lesson_id and done.completed_at is not null
    order by 1, 2
    on conflict do nothing
""")


@dataclass(frozen=True, slots=True)
class Opening:
    """Which lesson opens a concept or a challenge; None = none does. Exactly one target is given."""

    lesson_slug: str | None
    concept_id: int | None = None
    challenge_id: int | None = None


def open_by_lesson(uow: UnitOfWork, openings: Iterable[Opening]) -> None:
    """Replaces the edges to these targets."""
    wanted = list(openings)
    uow.session.execute(
        delete(UnlockEdge).where(
            UnlockEdge.concept_id.in_([one.concept_id for one in wanted if one.concept_id is not None])
            | UnlockEdge.challenge_id.in_([one.challenge_id for one in wanted if one.challenge_id is not None])
        )
    )
    slugs = {one.lesson_slug for one in wanted if one.lesson_slug is not None}
    lesson_ids = dict(uow.session.execute(select(Lesson.slug, Lesson.id).where(Lesson.slug.in_(slugs))).all())
    edges = [
        {"lesson_id": lesson_ids[one.lesson_slug], "concept_id": one.concept_id, "challenge_id": one.challenge_id}
        for one in wanted
        if one.lesson_slug is not None
    ]
    if edges:
        uow.session.execute(insert(UnlockEdge), edges)


def link_lessons(uow: UnitOfWork, course_id: int) -> None:
    """Brings the edges between a course's lessons in line with their positions."""
    uow.session.execute(_LINK, {"course_id": course_id})


def unlock_earned_concepts(uow: UnitOfWork) -> None:
    """For learners who completed an unlocking lesson before the edge was there. Append-only, without events."""
    uow.session.execute(_EARNED, {"now": uow.now})
