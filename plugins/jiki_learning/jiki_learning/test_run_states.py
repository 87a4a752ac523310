"""The states of a test run, and what of a runner's report is kept: pure, values in and values out.

queued → running → finished
   └────────┴────→ superseded (by a newer submission) | cancelled (by the learner)
   └────────┴────→ unavailable (nobody can run the language)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from jiki_learning.contracts import RunOutcome, RunReport, TestResult, TestStatus


class TestRunState(StrEnum):
    """Stored and sent: values are never renamed."""

    __test__ = False  # no test case, whatever pytest makes of the name

    QUEUED = "queued"
    RUNNING = "running"
    #: `outcome` says how
    FINISHED = "finished"
    #: the learner handed in something newer before it was over
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    #: there is no engine after all: results come from the client
    UNAVAILABLE = "unavailable"


#: states of runs that are not over
OPEN_STATES = (TestRunState.QUEUED, TestRunState.RUNNING)

FAULT_MESSAGE = "The tests could not be run. This is not your doing; hand in again later."


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends: its state, its outcome when that is `finished`, and the report as it is stored, if there is one."""

    state: TestRunState
    outcome: RunOutcome | None
    report: dict[str, Any] | None


def ending_of(report: RunReport) -> Ending:
    """What a runner's report makes of a run."""
    stored = stored_report(report)
    if report.outcome is RunOutcome.UNAVAILABLE:
        return Ending(TestRunState.UNAVAILABLE, None, stored)
    if report.outcome is RunOutcome.CANCELLED:
        return Ending(TestRunState.CANCELLED, None, stored)
    return Ending(TestRunState.FINISHED, report.outcome, stored)


def faulty() -> RunReport:
    """The report of a run that could not be made, tries and all."""
    return RunReport(RunOutcome.FAULT, message=FAULT_MESSAGE)


def stored_report(report: RunReport) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "tests": [asdict(result) for result in report.results],
        "summary": summary_of(report.results),
        "message": report.message,
        "output": report.output,
        "limits_hit": list(report.limits_hit),
        "breakage": None if report.breakage is None else asdict(report.breakage),
        "duration_ms": report.duration_ms,
    }


def summary_of(results: Sequence[TestResult]) -> dict[str, int]:
    """Counts over all tests; errors and time-outs are failures."""
    counts = Counter(result.status for result in results)
    return {
        "total": len(results),
        "passed": counts[TestStatus.PASSED],
        "failed": counts[TestStatus.FAILED] + counts[TestStatus.ERROR] + counts[TestStatus.TIMED_OUT],
        "skipped": counts[TestStatus.SKIPPED],
        "not_run": counts[TestStatus.NOT_RUN],
    }
