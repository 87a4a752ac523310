"""The material of a lesson's exercise: texts, the learner's stub, tests and what else belongs to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from jiki_core.db import reading
from jiki_core.errors import DomainError, NotFound
from jiki_learning.catalogue import CatalogueLesson
from jiki_learning.content.course import FileRole
from jiki_learning.exercise_states import ExerciseFacts, ExerciseState, exercise_state
from jiki_learning.models import Exercise, ExerciseFile
from jiki_learning.progression import decide_start
from jiki_learning.queries.catalogue import current_catalogue
from jiki_learning.queries.progress import course_progress

_LEARNER = text("""
    select mine.completed_at is not null as is_completed, latest.id is not null as has_submission, latest.has_passed
    from learning.user_lessons mine
    left join lateral (
        select s.id, s.has_passed from learning.exercise_submissions s
        where s.user_lesson_id = mine.id order by s.id desc limit 1
    ) latest on true
    where mine.user_id = :user_id and mine.lesson_id = :lesson_id
""")


def exercise_shape(user_id: int, lesson: CatalogueLesson) -> dict[str, Any]:
    """Raises NotFound for a lesson without material. The model solution is shown once the lesson is complete."""
    exercise = reading().execute(select(Exercise).where(Exercise.lesson_id == lesson.id)).scalar_one_or_none()
    if exercise is None:
        raise NotFound()
    state = lesson_exercise_state(user_id, lesson)
    files = reading().scalars(
        select(ExerciseFile).where(ExerciseFile.exercise_id == exercise.id).order_by(ExerciseFile.position)
    )
    return {
        "lesson_slug": lesson.slug,
        "state": state.value,
        "title": exercise.title,
        "blurb": exercise.blurb,
        "introduction": exercise.introduction,
        "instructions": exercise.instructions,
        "hints": exercise.hints,
        "difficulty": exercise.difficulty,
        "concepts": exercise.concepts,
        "prerequisites": exercise.prerequisites,
        "practices": exercise.practices,
        "tests_decide": exercise.tests_decide,
        "files": [
            {"path": file.path, "role": file.role, "content": file.content}
            for file in files
            if file.role != FileRole.EXEMPLAR or state is ExerciseState.COMPLETED
        ],
    }


def lesson_exercise_state(user_id: int, lesson: CatalogueLesson) -> ExerciseState:
    """Where the learner is with a lesson's exercise."""
    row = reading().execute(_LEARNER, {"user_id": user_id, "lesson_id": lesson.id}).one_or_none()
    if row is None:
        return exercise_state(ExerciseFacts(may_start=_may_start(user_id, lesson)))
    return exercise_state(
        ExerciseFacts(
            may_start=True,
            is_started=True,
            is_completed=row.is_completed,
            has_submission=row.has_submission,
            has_passed=row.has_passed,
        )
    )


def _may_start(user_id: int, lesson: CatalogueLesson) -> bool:
    progress = course_progress(user_id, current_catalogue().course_of(lesson))
    try:
        decide_start(progress.facts, lesson.id)
    except DomainError:
        return False
    return True
