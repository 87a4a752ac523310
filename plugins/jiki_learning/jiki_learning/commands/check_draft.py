"""Checks a draft on a worker: quick tests over what the learner has typed so far, at most one check per learner and lesson.

    request_check   the edit is *wanted*, and a job is asked for unless one is in flight (a unique key sees to that)
    perform_check   runs the newest edit, ends when a newer one is wanted, and then asks once more

What was wanted while a job was about to end is seen after its end: it is written before a job is asked for, and read
after the job has settled.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from redis import RedisError

from jiki_core.contracts import ask
from jiki_core.db import release_connection, unit_of_work
from jiki_core.jobs import JobOptions, JobRun
from jiki_core.observability import get_logger
from jiki_core.runtime import runtime
from jiki_learning.contracts import (
    ExerciseMaterial,
    ExerciseRunner,
    RunLimits,
    RunOutcome,
    RunReport,
    RunRequest,
)
from jiki_learning.drafts import Draft, exercise_stream, kept_draft, want_check, wanted_check
from jiki_learning.exercise_check_messages import CheckResult, CheckStarted
from jiki_learning.exercise_material import solution_of
from jiki_learning.jobs import check_draft
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.queries.test_runs import runnable_exercise
from jiki_learning.test_run_states import summary_of

log = get_logger(__name__)
#: how often a check looks whether a newer edit is wanted
LOOK_SECONDS = 0.2
#: a result that would not fit a socket's message tells names and states only
MAX_RESULT_BYTES = 200_000


def request_check(user_id: int, lesson_id: int) -> None:
    """Wants the newest edit checked. Raises redis.RedisError, and what a unit of work raises."""
    draft = kept_draft(user_id, lesson_id)
    if draft is None:
        return
    want_check(user_id, lesson_id, draft.version)
    with unit_of_work() as uow:
        options = JobOptions(unique_key=f"learning.check_draft:{user_id}:{lesson_id}", priority="low")
        uow.enqueue_with(options, check_draft, user_id=user_id, lesson_id=lesson_id)


def perform_check(job: JobRun, user_id: int, lesson_id: int) -> None:
    """Runs the newest edit and tells its learner; nothing is stored."""
    draft, exercise = kept_draft(user_id, lesson_id), runnable_exercise(lesson_id=lesson_id)
    release_connection()
    if draft is not None and exercise is not None:
        _check(user_id, lesson_id, draft, exercise.material)
    with job.unit_of_work():
        pass  # the receipt; from here on a newer edit can ask for a job of its own
    if draft is not None and wanted_check(user_id, lesson_id) > draft.version:
        request_check(user_id, lesson_id)


def _check(user_id: int, lesson_id: int, draft: Draft, material: ExerciseMaterial) -> None:
    stream = exercise_stream(user_id, lesson_id)
    _tell(stream, asdict(CheckStarted(draft.version)))
    request = RunRequest(
        language=material.language,
        solution=solution_of(material, draft.files),
        tests=material.tests,
        support=material.support,
        limits=RunLimits(wall_clock_seconds=learning_settings().live_check_limit_seconds),
    )
    should_stop = _newer_is_wanted(user_id, lesson_id, draft.version)
    report = ask(ExerciseRunner).run(request, lambda progress: None, should_stop)
    if report is None:
        report = RunReport(RunOutcome.UNAVAILABLE, message="The tests could not be run.")
    if report.outcome is not RunOutcome.CANCELLED:
        _tell(stream, _result(draft.version, report))


def _result(version: int, report: RunReport) -> dict[str, Any]:
    tests = [asdict(result) for result in report.results]
    if len(orjson.dumps(tests)) > MAX_RESULT_BYTES:
        tests = [{name: test[name] for name in ("id", "name", "status")} for test in tests]
    told = CheckResult(
        version=version,
        outcome=report.outcome.value,
        summary=summary_of(report.results),
        tests=tests,
        message=report.message,
        breakage=None if report.breakage is None else asdict(report.breakage),
        limits_hit=list(report.limits_hit),
    )
    return asdict(told)


def _newer_is_wanted(user_id: int, lesson_id: int, version: int) -> Callable[[], bool]:
    looked_at, is_newer = time.monotonic(), False

    def should_stop() -> bool:
        nonlocal looked_at, is_newer
        if not is_newer and time.monotonic() - looked_at >= LOOK_SECONDS:
            looked_at, is_newer = time.monotonic(), wanted_check(user_id, lesson_id) > version
        return is_newer

    return should_stop


def _tell(stream: str, message: dict[str, Any]) -> None:
    try:
        runtime().publish(stream, message)
    except RedisError as error:
        log.info("check_not_told", error=type(error).__name__)
