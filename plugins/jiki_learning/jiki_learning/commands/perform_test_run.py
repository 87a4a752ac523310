"""Performs a test run: begins it, lets the runner run it while its results are told, and settles what came of it.

The rules of jobs hold (docs/jobs.md): a worker that dies leaves the run `running`; whoever gets the job next runs it
again, and only one of them settles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

import orjson
from redis import RedisError
from sqlalchemy import text, update
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.contracts import ask
from jiki_core.db import UnitOfWork, release_connection, unit_of_work
from jiki_core.jobs import JobRun
from jiki_core.observability import get_logger
from jiki_core.runtime import runtime
from jiki_learning.commands.share_results import share_results
from jiki_learning.contracts import (
    ExerciseRunner,
    RunOutcome,
    RunProgress,
    RunReport,
    RunRequest,
    TestsAnnounced,
)
from jiki_learning.exercise_material import solution_of
from jiki_learning.jobs import TEST_RUN_RETRY, run_tests
from jiki_learning.models import ExerciseSubmission
from jiki_learning.queries.test_runs import (
    StoredRun,
    find_run,
    runnable_exercise,
    state_of,
    submitted_texts,
    waiting_runs,
)
from jiki_learning.test_run_messages import RunFinished, RunMessage, RunResult, RunTests, as_message
from jiki_learning.test_run_states import OPEN_STATES, Ending, TestRunState, ending_of, faulty

log = get_logger(__name__)
#: how often a run looks whether it was superseded or cancelled
LOOK_SECONDS = 0.5
#: how often a run looks whether a paused runner is back
PAUSED_SECONDS = 10
#: waiting runs that are told their new position when one begins
TOLD_POSITIONS = 20

_BEGIN = text("""
    update learning.test_runs set state = 'running', started_at = :now
    where id = :id and state in ('queued', 'running') returning id
""")
_PUT_OFF = text("""
    update learning.test_runs set state = 'queued', started_at = null where id = :id and state = 'running' returning id
""")
_END = text("""
    update learning.test_runs set state = :state, outcome = :outcome, report = cast(:report as jsonb), finished_at = :now
    where id = :id and state in ('queued', 'running') returning id
""")


class RunnerDidNotAnswer(Exception):
    """There is a runner and it failed; the log says how."""


class RunnerPaused(Exception):
    """An operator has closed the runner's doors for a while."""


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that is running now. `request` is None when the course has no tests for it any more."""

    run: StoredRun
    request: RunRequest | None


def perform_test_run(job: JobRun, test_run_id: int) -> None:
    """A run that is over already is left as it is. Raises RunnerDidNotAnswer, to be tried again."""
    with unit_of_work() as uow:
        begun = _begin(uow, test_run_id)
    if begun is None:
        return
    try:
        report = _report_of(begun, has_tries_left=job.failures + 1 < TEST_RUN_RETRY.limit)
    except RunnerPaused:
        with job.unit_of_work() as uow:
            _put_off(uow, begun.run)
        return
    with job.unit_of_work() as uow:
        _finish(uow, begun.run, ending_of(report))


def cancel_test_run(uow: UnitOfWork, run: StoredRun) -> None:
    """Ends a run that is not over; a runner that is at it stops within a second. One that is over stays as it is."""
    _finish(uow, run, Ending(TestRunState.CANCELLED, None, None))


def _begin(uow: UnitOfWork, test_run_id: int) -> BegunRun | None:
    """Marks it running, also when a worker that died had begun it; None when it is over or gone."""
    if uow.session.execute(_BEGIN, {"id": test_run_id, "now": uow.now}).scalar_one_or_none() is None:
        return None
    run = find_run(test_run_id)
    if run is None:
        return None
    uow.broadcast(run.stream, as_message(run.message()))
    for position, waiting in enumerate(waiting_runs(TOLD_POSITIONS), start=1):
        uow.broadcast(waiting.stream, as_message(waiting.at_position(position)))
    exercise = runnable_exercise(lesson_id=run.lesson_id, challenge_id=run.challenge_id)
    if exercise is None or not exercise.material.tests:
        return BegunRun(run, None)
    material = exercise.material
    request = RunRequest(
        language=run.language,
        solution=solution_of(material, submitted_texts(run.submission_id)),
        tests=material.tests,
        support=material.support,
    )
    return BegunRun(run, request)


def _report_of(begun: BegunRun, *, has_tries_left: bool) -> RunReport:
    if begun.request is None:
        return RunReport(RunOutcome.UNAVAILABLE, message="The course has no tests for this exercise any more.")
    report: RunReport | None = ask(ExerciseRunner).run(begun.request, _teller(begun.run), _stopper(begun.run.id))
    if report is not None:
        return report
    if begun.run.language not in ask(ExerciseRunner).languages():
        return RunReport(RunOutcome.UNAVAILABLE, message="There is no runner for this language any more.")
    if _is_runner_paused():
        raise RunnerPaused()
    if has_tries_left:
        raise RunnerDidNotAnswer(f"test run {begun.run.uuid}: see contract_failed in the log")
    return faulty()


def _finish(uow: UnitOfWork, run: StoredRun, ending: Ending) -> None:
    """Writes how it ended and tells; a run that ended otherwise meanwhile, superseded for example, stays so."""
    values = {
        "id": run.id,
        "state": ending.state.value,
        "outcome": ending.outcome,
        "report": None if ending.report is None else orjson.dumps(ending.report).decode(),
        "now": uow.now,
    }
    if uow.session.execute(_END, values).scalar_one_or_none() is None:
        return
    if run.decides and ending.outcome is not None and ending.outcome.is_verdict:
        uow.session.execute(
            update(ExerciseSubmission)
            .where(ExerciseSubmission.id == run.submission_id)
            .values(has_passed=ending.outcome is RunOutcome.PASSED)
        )
    over = find_run(run.id)
    if over is not None:
        said = over.message()
        uow.broadcast(over.stream, as_message(said), durable=True, at_once=True)
        if over.lesson_id is not None and isinstance(said, RunFinished):
            share_results(
                uow,
                over.user_id,
                over.lesson_id,
                submission_uuid=said.submission_uuid,
                state=said.state,
                outcome=said.outcome,
                summary=said.summary,
            )


def _put_off(uow: UnitOfWork, run: StoredRun) -> None:
    """Back into the queue, to be tried when the runner may be back."""
    if uow.session.execute(_PUT_OFF, {"id": run.id}).scalar_one_or_none() is None:
        return
    uow.enqueue_at(uow.now + timedelta(seconds=PAUSED_SECONDS), run_tests, test_run_id=run.id)
    waiting = find_run(run.id)
    if waiting is not None:
        uow.broadcast(waiting.stream, as_message(waiting.message()))


def _is_runner_paused() -> bool:
    at = runtime()
    return any(at.plugins.is_paused(one.plugin) for one in at.providers.get(ExerciseRunner, ()))


def _teller(run: StoredRun) -> Callable[[RunProgress], None]:
    """Sends what happens as it happens; a Valkey that is away costs the learner the show, not the result."""
    submission, test_run = str(run.submission_uuid), str(run.uuid)

    def tell(progress: RunProgress) -> None:
        said: RunMessage
        if isinstance(progress, TestsAnnounced):
            said = RunTests(submission, test_run, [asdict(test) for test in progress.tests])
        else:
            said = RunResult(submission, test_run, asdict(progress.result))
        try:
            runtime().publish(run.stream, as_message(said))
        except (RedisError, ValueError) as error:  # ValueError: too large for a socket; REST has it
            log.info("test_result_not_told", error=type(error).__name__)

    return tell


def _stopper(test_run_id: int) -> Callable[[], bool]:
    """Whether the run is over by another's word; a database that is away does not stop it."""
    looked_at, is_over = time.monotonic(), False

    def should_stop() -> bool:
        nonlocal looked_at, is_over
        if not is_over and time.monotonic() - looked_at >= LOOK_SECONDS:
            looked_at = time.monotonic()
            try:
                is_over = state_of(test_run_id) not in OPEN_STATES
            except SQLAlchemyError as error:
                log.info("test_run_not_looked_at", error=type(error).__name__)
            finally:
                release_connection()
        return is_over

    return should_stop
