"""Starts a lesson (contract.md 3.7). One that is started or complete already stays as it is."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.db import UnitOfWork
from jiki_learning.catalogue import CatalogueLesson
from jiki_learning.commands.learner import LessonMark, lock_progress, write_advance
from jiki_learning.events import FirstLessonStarted
from jiki_learning.progression import decide_start
from jiki_learning.queries.catalogue import current_catalogue, find_lesson
from jiki_learning.unlocks import LessonUnlocked


@dataclass(frozen=True, slots=True)
class Start:
    """`unlocked`: lessons that a change of the curriculum had left to be opened by the learner's next act."""

    lesson: CatalogueLesson
    #: the learner's row; None for one that was there already
    user_lesson_id: int | None
    unlocked: tuple[LessonUnlocked, ...]


def start_lesson(uow: UnitOfWork, user_id: int, slug: str) -> Start:
    """Raises LessonNotFound, UserLevelNotFound, LessonInProgress, LessonNotUnlocked."""
    lesson = find_lesson(slug)
    progress = lock_progress(uow, user_id, current_catalogue().course_of(lesson))
    plan = decide_start(progress.facts, lesson.id)
    if not plan.is_new:
        return Start(lesson, None, ())
    written = write_advance(uow, user_id, progress, plan.advance, mark=LessonMark(lesson.id, is_completed=False))
    if not progress.facts.lesson_progress:
        uow.emit(FirstLessonStarted(user_id, slug))
    return Start(
        lesson, written.user_lesson_id, tuple(LessonUnlocked(one.slug) for one in plan.advance.lessons_unlocked)
    )
