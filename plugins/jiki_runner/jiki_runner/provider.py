"""The runner's answer to learning's `ExerciseRunner`: the engine behind values of the contract."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from jiki_core.db import refuse_inside_unit
from jiki_core.observability import counter, get_logger, histogram
from jiki_core.runtime import runtime
from jiki_learning.contracts import RunLimits, RunOutcome, RunProgress, RunReport, RunRequest
from jiki_runner.engine import (
    EngineUnavailable,
    Exercise,
    InvalidExercise,
    Language,
    Limits,
    Progress,
    Report,
    RunHandle,
    start_run,
)
from jiki_runner.settings import RunnerSettings
from jiki_runner.translation import progress_of, report_of

log = get_logger(__name__)
#: how often `should_stop` is asked while nothing happens
LOOK_SECONDS = 0.1
MEBIBYTE, KIBIBYTE = 1024 * 1024, 1024

_runs = counter("jiki_runner_runs_total", "Runs of learners' code", ["language", "outcome"])
_seconds = histogram("jiki_runner_run_seconds", "Time of a run, its engine's start included", ["language"])


class SandboxedRuns:
    """Answers `ExerciseRunner`."""

    def languages(self) -> Sequence[str]:
        return runner_settings().languages

    def run(
        self, request: RunRequest, on_progress: Callable[[RunProgress], None], should_stop: Callable[[], bool]
    ) -> RunReport | None:
        refuse_inside_unit("a test run")
        settings = runner_settings()
        if request.language not in settings.languages:
            return RunReport(RunOutcome.UNAVAILABLE, message=f"There is no engine for {request.language}.")
        told: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        try:
            exercise = Exercise(
                Language(request.language), dict(request.solution), dict(request.tests), dict(request.support)
            )
            handle = start_run(
                exercise,
                limits=limits_of(request.limits, settings),
                on_progress=told.put,
                engine_directory=Path(settings.engine_directory),
                run_base=Path(settings.run_directory) if settings.run_directory else None,
            )
        except InvalidExercise as error:
            return RunReport(RunOutcome.BROKEN, message=f"This cannot be run: {error}.")
        except EngineUnavailable as error:
            log.warning("runner_has_no_engine", language=request.language, reason=error.reason, remedy=error.remedy)
            return RunReport(RunOutcome.UNAVAILABLE, message="The server cannot run tests of this language now.")
        report = _watch(handle, told, on_progress, should_stop)
        _runs.labels(request.language, report.outcome.value).inc()
        _seconds.labels(request.language).observe(report.duration_seconds)
        return report_of(report)


def runner_settings() -> RunnerSettings:
    """Of the current app."""
    return cast(RunnerSettings, runtime().plugin_settings["runner"])


def limits_of(asked: RunLimits, settings: RunnerSettings) -> Limits:
    """What was asked for, at most what the operator allows."""
    most_memory, most_output = settings.memory_megabytes * MEBIBYTE, settings.output_kilobytes * KIBIBYTE
    return Limits(
        wall_clock_seconds=min(asked.wall_clock_seconds or settings.wall_clock_seconds, settings.wall_clock_seconds),
        cpu_seconds=settings.cpu_seconds,
        memory_bytes=min(asked.memory_bytes or most_memory, most_memory),
        output_bytes=min(most_output if asked.output_bytes is None else asked.output_bytes, most_output),
    )


def _watch(
    handle: RunHandle,
    told: queue.SimpleQueue[Progress],
    on_progress: Callable[[RunProgress], None],
    should_stop: Callable[[], bool],
) -> Report:
    """Passes on what the run's thread tells, in this thread, until its report is there; never leaves it running."""
    try:
        while not (handle.is_done and told.empty()):
            try:
                progress = progress_of(told.get(timeout=LOOK_SECONDS))
            except queue.Empty:
                progress = None
            if progress is not None:
                on_progress(progress)
            if should_stop():
                handle.cancel()
        return handle.result(0)
    finally:
        handle.cancel()
