"""The engine's values as those of learning's contract: pure."""

from __future__ import annotations

from collections.abc import Iterable

from jiki_learning import contracts
from jiki_runner.engine import (
    AnnouncedTest,
    Breakage,
    Place,
    Progress,
    Report,
    TestFinished,
    TestResult,
    TestsCollected,
)


def report_of(report: Report) -> contracts.RunReport:
    """A whole run."""
    return contracts.RunReport(
        outcome=contracts.RunOutcome(report.outcome.value),
        results=tuple(result_of(one) for one in report.results),
        message=report.message,
        output=report.output,
        limits_hit=tuple(sorted(limit.value for limit in report.limits_hit)),
        breakage=None if report.breakage is None else _breakage_of(report.breakage),
        duration_ms=round(report.duration_seconds * 1_000, 1),
    )


def progress_of(progress: Progress) -> contracts.RunProgress | None:
    """None for what the contract does not tell: that a test has begun."""
    if isinstance(progress, TestsCollected):
        return contracts.TestsAnnounced(tuple(_announced(one) for one in progress.tests))
    if isinstance(progress, TestFinished):
        return contracts.TestFinished(result_of(progress.result))
    return None


def result_of(result: TestResult) -> contracts.TestResult:
    """One test's result; which of its sub-cases failed is told before the message."""
    message = f"{result.subtest}: {result.message}" if result.subtest else result.message
    if result.further_failures:
        message = f"{message}\n(and {result.further_failures} more)"
    return contracts.TestResult(
        id=result.test.id,
        name=result.test.name,
        status=contracts.TestStatus(result.status.value),
        group=result.test.group,
        task=result.test.task,
        message=message,
        expected=result.expected,
        actual=result.actual,
        error_type=result.error_type,
        output=result.output,
        places=_places_of(result.places),
        duration_ms=result.duration_ms,
    )


def _announced(test: AnnouncedTest) -> contracts.AnnouncedTest:
    return contracts.AnnouncedTest(test.id, test.name, test.group, test.task)


def _breakage_of(breakage: Breakage) -> contracts.Breakage:
    return contracts.Breakage(breakage.error_type, breakage.message, _places_of(breakage.places), breakage.column)


def _places_of(places: Iterable[Place]) -> tuple[contracts.CodePlace, ...]:
    return tuple(contracts.CodePlace(one.file, one.line, one.function, one.text) for one in places)
