"""Asks for a test run of a submission, where there is a runner for it; a newer submission supersedes the runs of older ones."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, text

from jiki_core.contracts import ask
from jiki_core.db import UnitOfWork, uuid7
from jiki_learning.contracts import ExerciseRunner, RunOutcome
from jiki_learning.jobs import run_tests
from jiki_learning.models import TestRun, UserChallenge, UserLesson
from jiki_learning.queries.test_runs import StoredRun, find_run, latest_run_of, runnable_exercise
from jiki_learning.test_run_messages import as_message
from jiki_learning.test_run_states import OPEN_STATES, TestRunState

_SUPERSEDE = text("""
    update learning.test_runs set state = 'superseded', finished_at = :now
    where state in ('queued', 'running') and submission_id in (
        select id from learning.exercise_submissions
        where user_lesson_id = :user_lesson_id or user_challenge_id = :user_challenge_id
    )
    returning id
""")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A submission of this context can be run. `decides`: its outcome counts, whatever the client says."""

    language: str
    decides: bool


def plan_test_run(
    uow: UnitOfWork, *, user_lesson_id: int | None = None, user_challenge_id: int | None = None
) -> RunPlan | None:
    """None without a runner, for a language that it does not take, and where the client holds the tests."""
    languages = ask(ExerciseRunner).languages()
    if not languages:
        return None
    if user_lesson_id is not None:
        lesson = select(UserLesson.lesson_id).where(UserLesson.id == user_lesson_id)
        exercise = runnable_exercise(lesson_id=uow.session.execute(lesson).scalar_one())
    else:
        challenge = select(UserChallenge.challenge_id).where(UserChallenge.id == user_challenge_id)
        exercise = runnable_exercise(challenge_id=uow.session.execute(challenge).scalar_one())
    if exercise is None or not exercise.material.tests or exercise.material.language not in languages:
        return None
    return RunPlan(exercise.material.language, exercise.tests_decide)


def queue_test_run(
    uow: UnitOfWork,
    plan: RunPlan,
    submission_id: int,
    *,
    user_lesson_id: int | None = None,
    user_challenge_id: int | None = None,
) -> None:
    """Writes the run and asks for its job. The caller holds the lock that serialises the context."""
    context = {"user_lesson_id": user_lesson_id, "user_challenge_id": user_challenge_id}
    for superseded in uow.session.execute(_SUPERSEDE, {"now": uow.now, **context}).scalars().all():
        _tell(uow, find_run(superseded))
    test_run_id = uow.session.execute(
        insert(TestRun)
        .values(
            uuid=uuid7(),
            submission_id=submission_id,
            language=plan.language,
            decides=plan.decides,
            state=TestRunState.QUEUED.value,
            queued_at=uow.now,
        )
        .returning(TestRun.id)
    ).scalar_one()
    uow.enqueue(run_tests, test_run_id=test_run_id)
    _tell(uow, find_run(test_run_id))


def repeat_test_run(
    uow: UnitOfWork,
    plan: RunPlan,
    submission_id: int,
    *,
    user_lesson_id: int | None = None,
    user_challenge_id: int | None = None,
) -> None:
    """The same was handed in again: its run is told once more, or made anew when it came to nothing."""
    run = latest_run_of(submission_id)
    if run is not None and (run.state in OPEN_STATES or _is_verdict(run)):
        _tell(uow, run)
        return
    queue_test_run(uow, plan, submission_id, user_lesson_id=user_lesson_id, user_challenge_id=user_challenge_id)


def _is_verdict(run: StoredRun) -> bool:
    return run.outcome is not None and RunOutcome(run.outcome).is_verdict


def _tell(uow: UnitOfWork, run: StoredRun | None) -> None:
    if run is not None:
        uow.broadcast(run.stream, as_message(run.message()))
