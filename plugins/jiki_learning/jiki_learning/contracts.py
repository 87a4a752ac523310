"""Typed questions around exercises: who runs their tests (`ExerciseRunner`), and what a course folder holds to be run
(`CourseMaterial`).

A runner is another plugin's; without one, results come from the client only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from jiki_core.contracts import Contract, question


class RunOutcome(StrEnum):
    """How a run ended as a whole. Stored and sent: values are never renamed."""

    #: every test passed
    PASSED = "passed"
    #: at least one test did not
    FAILED = "failed"
    #: the solution cannot be loaded: a syntax error, or its top level raised
    BROKEN = "broken"
    #: a limit ended the run
    STOPPED = "stopped"
    #: `should_stop` said so
    CANCELLED = "cancelled"
    #: not the learner's doing: the tests or the engine failed
    FAULT = "fault"
    #: nothing was run: this process has no engine for the language
    UNAVAILABLE = "unavailable"

    @property
    def is_verdict(self) -> bool:
        """Whether it says something about the solution."""
        return self in (RunOutcome.PASSED, RunOutcome.FAILED, RunOutcome.BROKEN, RunOutcome.STOPPED)


class TestStatus(StrEnum):
    """How one test ended. Stored and sent: values are never renamed."""

    __test__ = False  # no test case, whatever pytest makes of the name

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    #: the run ended before its turn
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What one run may use, all tests together; None leaves it to the runner's settings, which are also the most."""

    wall_clock_seconds: float | None = None
    memory_bytes: int | None = None
    output_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A solution and the tests it has to pass; each mapping is file name → text, without folders.

    `support` is what both may read: modules with given values, data files.
    """

    language: str
    solution: Mapping[str, str]
    tests: Mapping[str, str]
    support: Mapping[str, str] = field(default_factory=dict)
    limits: RunLimits = field(default_factory=RunLimits)


@dataclass(frozen=True, slots=True)
class AnnouncedTest:
    """A test that is going to run. `task` is the part of the exercise it belongs to, counted from 1."""

    id: str
    name: str
    group: str = ""
    task: int | None = None


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A line of the learner's code, counted from 1."""

    file: str
    line: int
    function: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test's result, its texts cut to what a learner can read."""

    __test__ = False  # no test case, whatever pytest makes of the name

    id: str
    name: str
    status: TestStatus
    group: str = ""
    task: int | None = None
    message: str = ""
    #: what was compared, as source text; empty when the failure was no comparison
    expected: str = ""
    actual: str = ""
    #: the exception's type, for `error`
    error_type: str = ""
    #: what the solution printed during the test
    output: str = ""
    #: where in the learner's code it happened, outermost call first
    places: tuple[CodePlace, ...] = ()
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Breakage:
    """Why a solution could not be loaded. `column` counts from 1 and is 0 when it is not known."""

    error_type: str
    message: str
    places: tuple[CodePlace, ...] = ()
    column: int = 0


@dataclass(frozen=True, slots=True)
class RunReport:
    """The whole run. `message` is a sentence for whom the outcome concerns; `limits_hit` holds the limits' names."""

    outcome: RunOutcome
    results: tuple[TestResult, ...] = ()
    message: str = ""
    output: str = ""
    limits_hit: tuple[str, ...] = ()
    breakage: Breakage | None = None
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TestsAnnounced:
    """Told once, before the first test."""

    __test__ = False  # no test case, whatever pytest makes of the name

    tests: tuple[AnnouncedTest, ...]


@dataclass(frozen=True, slots=True)
class TestFinished:
    """Told after each test."""

    __test__ = False  # no test case, whatever pytest makes of the name

    result: TestResult


#: what a run tells while it goes on
RunProgress = TestsAnnounced | TestFinished


class ExerciseRunner(Contract):
    """Runs learners' code against an exercise's tests, contained. Absent: results come from the client only."""

    @question(absent=(), failing=(), subject=lambda: "all")
    def languages(self) -> Sequence[str]:
        """The languages whose runs it takes, such as python; the process that asks need not be able to run them."""
        raise AssertionError("answered by a provider")

    @question(absent=None, failing=None)
    def run(
        self, request: RunRequest, on_progress: Callable[[RunProgress], None], should_stop: Callable[[], bool]
    ) -> RunReport | None:
        """Runs to the end, outside any unit of work, for as long as the limits allow.

        Both callables are called in the caller's thread: `on_progress` in the tests' order, `should_stop` several times
        a second; once it is true the run ends as `cancelled`. What cannot be a run is `broken` with a message.
        """
        raise AssertionError("answered by a provider")


@dataclass(frozen=True, slots=True)
class ExerciseMaterial:
    """What of an exercise can be run: file name → text. `language` is empty when no file's ending tells it."""

    slug: str
    language: str
    #: what a learner starts from
    stub: Mapping[str, str]
    #: the model solution under the learner's file names; empty when the course has none
    reference: Mapping[str, str]
    tests: Mapping[str, str]
    support: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CourseReading:
    """A course folder as read: its exercises, or why it cannot be read, a sentence each."""

    exercises: tuple[ExerciseMaterial, ...] = ()
    mistakes: tuple[str, ...] = ()


_NOT_READ = "the course could not be read: see the log, and whether learning runs with `flask plugins list`"


class CourseMaterial(Contract):
    """What a course on disk holds to be run, in whichever format. Answered by learning."""

    @question(absent=CourseReading(), failing=CourseReading(mistakes=(_NOT_READ,)))
    def read(self, path: str) -> CourseReading:
        """`path` is the folder of a course in learning's or in exercism's format, or the word `bundled`."""
        raise AssertionError("answered by a provider")
