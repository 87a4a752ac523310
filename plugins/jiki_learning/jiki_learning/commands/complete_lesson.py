"""Completes a lesson and tells what that unlocks (contract.md 3.7). A repeat changes nothing and unlocks nothing."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.db import UnitOfWork
from jiki_learning.catalogue import CatalogueLesson
from jiki_learning.commands.learner import LessonMark, lock_progress, write_advance
from jiki_learning.events import LessonCompleted
from jiki_learning.progression import LessonFact, decide_complete
from jiki_learning.queries.catalogue import current_catalogue, find_lesson
from jiki_learning.unlocks import ChallengeUnlocked, ConceptUnlocked, LessonUnlocked, Unlock


@dataclass(frozen=True, slots=True)
class Completion:
    """`unlocked`: what the answer's `meta.events` list, in their order: lessons, concepts, the challenge."""

    unlocked: tuple[Unlock, ...]


def complete_lesson(uow: UnitOfWork, user_id: int, slug: str) -> Completion:
    """Starts the lesson first when it may be started.

    Raises LessonNotFound, UserLevelNotFound, LessonInProgress, LessonNotUnlocked.
    """
    lesson = find_lesson(slug)
    progress = lock_progress(uow, user_id, current_catalogue().course_of(lesson))
    plan = decide_complete(progress.facts, lesson.id)
    if plan.is_repeat:
        return Completion(())
    written = write_advance(
        uow,
        user_id,
        progress,
        plan.advance,
        mark=LessonMark(lesson.id, is_completed=True),
        concept_ids=[concept.id for concept in lesson.concepts],
        is_active_day=True,
    )
    uow.emit(LessonCompleted(user_id, lesson.course_slug, lesson.level_slug, slug, uow.now.isoformat()))
    for unlocked in plan.advance.lessons_unlocked:
        uow.notify(user_id, "learning.lesson_unlocked", {"lesson_slug": unlocked.slug})
    return Completion(_unlocks(lesson, plan.advance.lessons_unlocked, written.new_concept_ids))


def _unlocks(
    lesson: CatalogueLesson, lessons: tuple[LessonFact, ...], new_concept_ids: frozenset[int]
) -> tuple[Unlock, ...]:
    """The challenge is told to free learners too; nothing is stored for it (contract.md 3.7 e)."""
    return (
        *(LessonUnlocked(one.slug) for one in lessons),
        *(ConceptUnlocked(one.slug) for one in lesson.concepts if one.id in new_concept_ids),
        *([ChallengeUnlocked(lesson.challenge.slug, lesson.challenge.exercise_slug)] if lesson.challenge else ()),
    )
