"""Keeps the account of one run from what its child process says, and draws up the report: pure, no process in
it.

The child is believed only as far as it is consistent: a run has passed if every test that was announced has
exactly one result, the child said that it was done, and it then ended in order. Anything else is not a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .exercise import Exercise
from .limits import MEBIBYTE, Limit, Limits
from .report import (
    AnnouncedTest,
    Breakage,
    Outcome,
    Place,
    Progress,
    Report,
    TestFinished,
    TestResult,
    TestsCollected,
    TestStarted,
    TestStatus,
)

MAXIMUM_TESTS = 2000
MAXIMUM_NAME = 200


class ProtocolViolation(Exception):
    """The child said something that does not fit what it said before."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the child process ended, as its supervisor saw it."""

    #: The run was cancelled from outside.
    is_cancelled: bool = False
    #: The limit for which the supervisor, or the kernel, ended the child.
    limit: Limit | None = None
    #: Why it ended out of order otherwise, in one sentence for an operator; empty if it ended in order.
    fault: str = ""


class RunLedger:
    """The account of one run. `apply` takes the child's messages in order, `close` gives the report."""

    def __init__(self, exercise: Exercise, limits: Limits) -> None:
        self._sources = {**exercise.support, **exercise.solution}
        self._limits = limits
        self._tests: dict[str, AnnouncedTest] | None = None
        self._results: dict[str, TestResult] = {}
        self._running: AnnouncedTest | None = None
        self._breakage: Breakage | None = None
        self._fault = ""
        self._is_done = False
        self._limits_hit: set[Limit] = set()
        self._output = ""
        self._walls: tuple[str, ...] = ()

    def apply(self, message: Mapping[str, Any]) -> Progress | None:
        """Take one message; what of it is to be told, if anything. Raises ProtocolViolation."""
        handlers = {
            "ready": self._ready,
            "collected": self._collected,
            "started": self._started,
            "finished": self._finished,
            "broken": self._broken,
            "done": self._done,
            "ended": self._ended,
        }
        handler = handlers.get(str(message.get("event")))
        if handler is None:
            raise ProtocolViolation(f"no such event: {message.get('event')!r}")
        try:
            return handler(message)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ProtocolViolation(f"{message['event']}: {type(error).__name__}: {error}") from error

    def _ready(self, message: Mapping[str, Any]) -> None:
        if self._walls:
            raise ProtocolViolation("ready twice")
        self._walls = tuple(map(str, message["walls"]))

    def _collected(self, message: Mapping[str, Any]) -> Progress:
        if self._tests is not None:
            raise ProtocolViolation("the tests were announced twice")
        announced = [
            AnnouncedTest(
                id=str(test["id"]),
                name=str(test["name"]),
                group=str(test["group"]),
                file=str(test["file"]),
                line=int(test["line"]),
                task=None if test["task"] is None else int(test["task"]),
            )
            for test in message["tests"]
        ]
        if len(announced) > MAXIMUM_TESTS:
            raise ProtocolViolation(f"{len(announced)} tests are more than the {MAXIMUM_TESTS} a run can have")
        self._tests = {test.id: test for test in announced}
        if len(self._tests) != len(announced):
            raise ProtocolViolation("two tests have the same name")
        return TestsCollected(tuple(announced))

    def _started(self, message: Mapping[str, Any]) -> Progress:
        test = self._awaited(message)
        if self._running is not None:
            raise ProtocolViolation(f"{test.id} started while {self._running.id} was running")
        self._running = test
        return TestStarted(test)

    def _finished(self, message: Mapping[str, Any]) -> Progress:
        test = self._awaited(message)
        if self._running is not None and self._running != test:
            raise ProtocolViolation(f"{test.id} finished while {self._running.id} was running")
        status = TestStatus(message["status"])
        if self._running is None and status is TestStatus.PASSED:
            raise ProtocolViolation(f"{test.id} passed without having started")
        self._running = None
        limit = Limit(message["limit"]) if message.get("limit") else None
        if limit is not None:
            self._limits_hit.add(limit)
        result = TestResult(
            test=test,
            status=status,
            message=str(message.get("message", "")),
            expected=str(message.get("expected", "")),
            actual=str(message.get("actual", "")),
            error_type=_cut(message.get("error_type", "")),
            subtest=str(message.get("subtest", "")),
            further_failures=int(message.get("further_failures", 0)),
            places=self._places(message.get("places", [])),
            test_line=int(message.get("test_line", 0)),
            output=str(message.get("output", "")),
            duration_ms=float(message.get("duration_ms", 0.0)),
            limit=limit,
        )
        self._results[test.id] = result
        return TestFinished(result)

    def _awaited(self, message: Mapping[str, Any]) -> AnnouncedTest:
        if self._tests is None or self._is_done:
            raise ProtocolViolation(f"{message['event']} outside the tests")
        test = self._tests[str(message["id"])]
        if test.id in self._results:
            raise ProtocolViolation(f"{test.id} has two results")
        return test

    def _broken(self, message: Mapping[str, Any]) -> None:
        if self._tests is not None or self._breakage is not None:
            raise ProtocolViolation("broken after the tests were announced")
        if message.get("limit"):
            self._limits_hit.add(Limit(message["limit"]))
        self._output += str(message.get("output", ""))
        places = self._places(message["places"])
        syntax = message.get("syntax")
        column = 0
        is_solution = bool(message["is_solution"])
        if syntax is not None:
            file, line = str(syntax["file"]), int(syntax["line"] or 0)
            is_solution = is_solution or file in self._sources
            column = int(syntax["column"] or 0)
            if file in self._sources:
                places = (*places, Place(file, line, "", self._line(file, line) or str(syntax["text"])))
        self._breakage = Breakage(_cut(message["error_type"]), str(message["message"]), places, column)
        if not is_solution:
            self._fault = f"The test file cannot be loaded: {message['error_type']}: {message['message']}"

    def _done(self, message: Mapping[str, Any]) -> None:
        if self._tests is None:
            raise ProtocolViolation("done before the tests were announced")
        self._is_done = True

    def _ended(self, message: Mapping[str, Any]) -> None:
        self._output += str(message["output"])
        self._limits_hit.update(map(Limit, message["limits"]))
        self._fault = self._fault or str(message.get("fault", ""))

    def close(self, ending: Ending) -> Report:
        """The report of the run, whose child ended like this. Tests without a result get one."""
        if ending.limit is not None:
            self._limits_hit.add(ending.limit)
        results = tuple(self._result_of(test, ending) for test in (self._tests or {}).values())
        outcome, message = self._outcome(results, ending)
        return Report(
            outcome=outcome,
            results=results,
            limits_hit=frozenset(self._limits_hit),
            breakage=self._breakage if outcome in (Outcome.BROKEN, Outcome.FAULT) else None,
            output=self._output,
            message=message,
            walls=self._walls,
        )

    def _result_of(self, test: AnnouncedTest, ending: Ending) -> TestResult:
        if test.id in self._results:
            return self._results[test.id]
        limit = ending.limit or self._stopping_limit()
        if test == self._running and limit is not None:
            is_time = limit in (Limit.WALL_CLOCK, Limit.CPU)
            status = TestStatus.TIMED_OUT if is_time else TestStatus.ERROR
            return TestResult(test, status, message=limit_message(limit, self._limits), limit=limit)
        return TestResult(test, TestStatus.NOT_RUN)

    def _outcome(self, results: tuple[TestResult, ...], ending: Ending) -> tuple[Outcome, str]:
        if ending.is_cancelled:
            return Outcome.CANCELLED, "The run was cancelled."
        if ending.limit is not None:
            return Outcome.STOPPED, limit_message(ending.limit, self._limits)
        fault = self._fault or ending.fault
        if fault:
            return Outcome.FAULT, fault
        stopping = self._stopping_limit()
        if stopping is not None and not self._is_done:
            return Outcome.STOPPED, limit_message(stopping, self._limits)
        if self._breakage is not None:
            return Outcome.BROKEN, ""
        if not results:
            return Outcome.FAULT, "The test files hold no tests."
        counted = [result.status for result in results if result.status is not TestStatus.SKIPPED]
        if any(status is TestStatus.TIMED_OUT for status in counted):
            return Outcome.STOPPED, limit_message(stopping or Limit.WALL_CLOCK, self._limits)
        if counted and all(status is TestStatus.PASSED for status in counted):
            if not self._is_done:
                return Outcome.FAULT, "The run ended before it said that it was done."
            return Outcome.PASSED, ""
        if not counted:
            return Outcome.FAULT, "All tests are skipped by their author."
        return Outcome.FAILED, ""

    def _stopping_limit(self) -> Limit | None:
        order = (Limit.WALL_CLOCK, Limit.CPU, Limit.MEMORY)
        return next((limit for limit in order if limit in self._limits_hit), None)

    def _places(self, places: Any) -> tuple[Place, ...]:
        return tuple(
            Place(_cut(file), int(line), _cut(function), self._line(str(file), int(line)))
            for file, line, function in places
        )

    def _line(self, file: str, line: int) -> str:
        lines = self._sources.get(file, "").splitlines()
        return _cut(lines[line - 1].strip()) if 0 < line <= len(lines) else ""


def _cut(name: Any) -> str:
    """A name, or a line of code, as long as a person reads it; a program can make them as long as books."""
    return str(name)[:MAXIMUM_NAME]


def limit_message(limit: Limit, limits: Limits) -> str:
    """What a learner is told of a limit that ended their program."""
    megabytes = limits.memory_bytes // MEBIBYTE
    return {
        Limit.WALL_CLOCK: f"The program took longer than {limits.wall_clock_seconds:g} seconds.",
        Limit.CPU: f"The program used more than {limits.cpu_seconds} seconds of computing time.",
        Limit.MEMORY: f"The program used more than {megabytes} MB of memory.",
        Limit.OUTPUT: f"The program printed more than {limits.output_bytes // 1024} KB; the rest is cut.",
    }[limit]
