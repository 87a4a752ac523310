"""For tests of runners and of what asks them: what every `ExerciseRunner` must hold to, and a scripted one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from flask import Flask

from jiki_core.contracts.binding import BoundProvider
from jiki_core.testing import ProviderConformance
from jiki_learning.contracts import (
    AnnouncedTest,
    Breakage,
    ExerciseRunner,
    RunOutcome,
    RunProgress,
    RunReport,
    RunRequest,
    TestFinished,
    TestResult,
    TestsAnnounced,
    TestStatus,
)

#: how often a held run looks whether it is to stop
_LOOK_SECONDS = 0.02


class ExerciseRunnerConformance(ProviderConformance):
    """What every runner must hold to. Subclass it, give a run that passes and one of whose tests some fail."""

    contract = ExerciseRunner
    passing: ClassVar[RunRequest]
    failing: ClassVar[RunRequest]

    @staticmethod
    def run(provider: Any, request: RunRequest) -> tuple[RunReport, list[RunProgress]]:
        told: list[RunProgress] = []
        report = provider.run(request, told.append, lambda: False)
        assert isinstance(report, RunReport)
        return report, told

    def test_it_takes_the_language_it_runs(self, provider: Any) -> None:
        assert self.passing.language in provider.languages()

    def test_a_good_solution_passes_every_test(self, provider: Any) -> None:
        report, _ = self.run(provider, self.passing)
        assert report.outcome is RunOutcome.PASSED
        assert {one.status for one in report.results} == {TestStatus.PASSED}

    def test_a_wrong_solution_fails_and_says_what(self, provider: Any) -> None:
        report, _ = self.run(provider, self.failing)
        assert report.outcome is RunOutcome.FAILED
        failed = [one for one in report.results if one.status is TestStatus.FAILED]
        assert failed
        assert all(one.message for one in failed)

    def test_it_announces_the_tests_and_tells_each_result_once_in_their_order(self, provider: Any) -> None:
        report, told = self.run(provider, self.failing)
        announced = told[0]
        assert isinstance(announced, TestsAnnounced)
        assert [one.id for one in announced.tests] == [one.id for one in report.results]
        assert [one.result for one in told[1:] if isinstance(one, TestFinished)] == list(report.results)

    def test_it_calls_back_in_the_callers_thread(self, provider: Any) -> None:
        threads: set[int] = set()
        provider.run(self.passing, lambda progress: threads.add(threading.get_ident()), lambda: False)
        assert threads == {threading.get_ident()}

    def test_a_run_that_should_stop_is_cancelled(self, provider: Any) -> None:
        report = provider.run(self.passing, lambda progress: None, lambda: True)
        assert report.outcome is RunOutcome.CANCELLED

    def test_a_language_that_it_does_not_know_is_unavailable(self, provider: Any) -> None:
        report, _ = self.run(provider, RunRequest("befunge", {"a.bf": "@"}, {"a_test.bf": "@"}))
        assert report.outcome is RunOutcome.UNAVAILABLE
        assert report.message

    def test_what_cannot_be_a_run_is_broken_with_a_reason(self, provider: Any) -> None:
        report, _ = self.run(provider, RunRequest(self.passing.language, self.passing.solution, {}))
        assert report.outcome is RunOutcome.BROKEN
        assert report.message


class ScriptedRunner:
    """A runner without an engine: each line of a test file is a test, which passes when the solution has that line.

    A solution with the line `broken` cannot be loaded. While it is `held`, runs wait at their first test.
    """

    def __init__(self) -> None:
        #: False: it fails to answer, as a paused or raising runner does
        self.is_answering = True
        self.is_engine_there = True
        self.runs = 0
        self.running = 0
        self.most_running = 0
        self._open = threading.Event()
        self._open.set()

    def languages(self) -> Sequence[str]:
        return ("python", "javascript")

    def run(
        self, request: RunRequest, on_progress: Callable[[RunProgress], None], should_stop: Callable[[], bool]
    ) -> RunReport | None:
        if not self.is_answering:
            return None
        if request.language not in self.languages() or not self.is_engine_there:
            return RunReport(RunOutcome.UNAVAILABLE, message=f"There is no engine for {request.language}.")
        self.runs, self.running = self.runs + 1, self.running + 1
        self.most_running = max(self.most_running, self.running)
        try:
            return self._report(request, on_progress, should_stop)
        finally:
            self.running -= 1

    @contextmanager
    def held(self) -> Iterator[None]:
        """Runs wait within this block."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def _report(
        self, request: RunRequest, on_progress: Callable[[RunProgress], None], should_stop: Callable[[], bool]
    ) -> RunReport:
        names = [line for text in request.tests.values() for line in text.splitlines()]
        lines = {line for text in request.solution.values() for line in text.splitlines()}
        if not names:
            return RunReport(RunOutcome.BROKEN, message="There is no test.")
        if "broken" in lines:
            return RunReport(RunOutcome.BROKEN, breakage=Breakage("SyntaxError", "it is broken"))
        on_progress(TestsAnnounced(tuple(AnnouncedTest(name, name) for name in names)))
        while not self._open.wait(_LOOK_SECONDS):
            if should_stop():
                break
        if should_stop():
            return RunReport(RunOutcome.CANCELLED)
        results = []
        for name in names:
            is_there = name in lines
            status = TestStatus.PASSED if is_there else TestStatus.FAILED
            results.append(TestResult(name, name, status, message="" if is_there else f"there is no line {name}"))
            on_progress(TestFinished(results[-1]))
        has_passed = all(one.status is TestStatus.PASSED for one in results)
        return RunReport(RunOutcome.PASSED if has_passed else RunOutcome.FAILED, tuple(results))


@contextmanager
def answered_by(app: Flask, runner: Any) -> Iterator[None]:
    """Lets `runner` answer `ExerciseRunner` of an app, whatever plugin does otherwise."""
    providers = app.extensions["jiki.assembly"].providers
    before = providers.get(ExerciseRunner)
    providers[ExerciseRunner] = (BoundProvider("core", runner),)
    try:
        yield
    finally:
        if before is None:
            del providers[ExerciseRunner]
        else:
            providers[ExerciseRunner] = before


@pytest.fixture
def scripted_runner(app: Flask) -> Iterator[ScriptedRunner]:
    """A scripted runner that answers for the test's app; import it where it is used."""
    runner = ScriptedRunner()
    with answered_by(app, runner):
        yield runner
