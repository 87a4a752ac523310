"""What is known of a run when it is over, and what is told while it goes on: frozen values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

from .limits import Limit


class TestStatus(StrEnum):
    """How one test ended. Stored and sent: values are never renamed."""

    __test__ = False  # no test case, whatever pytest makes of the name

    PASSED = "passed"
    FAILED = "failed"  #: an assertion did not hold
    ERROR = "error"  #: something was raised that the test did not expect
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    NOT_RUN = "not_run"  #: the run ended before its turn


class Outcome(StrEnum):
    """How the run ended as a whole. Stored and sent: values are never renamed."""

    PASSED = "passed"  #: every test passed (or was skipped by its author, at least one passed)
    FAILED = "failed"  #: at least one test did not
    BROKEN = "broken"  #: the solution could not be loaded: a syntax error, or its top level raised
    STOPPED = "stopped"  #: a limit ended the run
    CANCELLED = "cancelled"
    FAULT = "fault"  #: not the learner's doing: the test file is broken, or the engine failed


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the learner's code."""

    file: str
    line: int
    function: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class AnnouncedTest:
    """A test that the run is going to run. `line` is that of its definition; `task` the exercise's part it
    belongs to.
    """

    id: str
    name: str
    group: str = ""
    file: str = ""
    line: int = 0
    task: int | None = None


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test's result. Texts are for a learner to read and already cut to a readable length."""

    __test__ = False  # no test case, whatever pytest makes of the name

    test: AnnouncedTest
    status: TestStatus
    message: str = ""
    #: What was compared, as source text; empty when the failure was no comparison.
    expected: str = ""
    actual: str = ""
    #: The exception's type, for status `error`.
    error_type: str = ""
    #: Which of a test's sub-cases failed, and how many more did.
    subtest: str = ""
    further_failures: int = 0
    #: Where in the learner's code it happened, outermost call first.
    places: tuple[Place, ...] = ()
    #: The line of the test file that was running.
    test_line: int = 0
    #: What the solution printed during this test.
    output: str = ""
    duration_ms: float = 0.0
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Breakage:
    """Why a solution could not be loaded."""

    error_type: str
    message: str
    places: tuple[Place, ...] = ()
    #: For a syntax error: the column, counted from 1.
    column: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over all announced tests."""

    total: int
    passed: int
    failed: int
    skipped: int
    not_run: int


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run. `message` is one sentence for whom `outcome` concerns; empty for passed and failed."""

    outcome: Outcome
    results: tuple[TestResult, ...] = ()
    limits_hit: frozenset[Limit] = frozenset()
    breakage: Breakage | None = None
    #: What the solution printed while it was loaded, or after the last test.
    output: str = ""
    message: str = ""
    duration_seconds: float = 0.0
    #: What held the child process besides its engine, see confinement.py.
    walls: tuple[str, ...] = ()

    @property
    def summary(self) -> Summary:
        counts = Counter(result.status for result in self.results)
        failed = counts[TestStatus.FAILED] + counts[TestStatus.ERROR] + counts[TestStatus.TIMED_OUT]
        return Summary(
            total=len(self.results),
            passed=counts[TestStatus.PASSED],
            failed=failed,
            skipped=counts[TestStatus.SKIPPED],
            not_run=counts[TestStatus.NOT_RUN],
        )

    def lasting(self, seconds: float) -> Report:
        """This report with its duration."""
        return replace(self, duration_seconds=round(seconds, 3))


@dataclass(frozen=True, slots=True)
class TestsCollected:
    """Told once, before the first test."""

    __test__ = False  # no test case, whatever pytest makes of the name

    tests: tuple[AnnouncedTest, ...]


@dataclass(frozen=True, slots=True)
class TestStarted:
    """Told before each test."""

    __test__ = False  # no test case, whatever pytest makes of the name

    test: AnnouncedTest


@dataclass(frozen=True, slots=True)
class TestFinished:
    """Told after each test."""

    __test__ = False  # no test case, whatever pytest makes of the name

    result: TestResult


#: What a run tells while it goes on.
Progress = TestsCollected | TestStarted | TestFinished
