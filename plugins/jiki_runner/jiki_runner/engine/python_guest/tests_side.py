"""The interpreter of the tests: loads the test files, runs them one by one and tells the host of each result.

The learner's code never runs here. Nothing that it says can be a result: results go to the host from this
file alone.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
import traceback
import types
import unittest

from . import assertions, pytest_stand_in, shared_patches, solution_modules
from .bridge import Bridge, PeerFault, PeerGone
from .collection import FoundTest, find_tests, make_unique
from .guard import TestsGuard
from .wire import HOST, Wire, open_printed

TYPE_CHECKING = False  # see codec.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

EXERCISE_FOLDER = "/exercise/"


class Tests:
    """What the solution's runtime may ask of this side: the streams that a test has replaced."""

    __test__ = False

    def write_output(self, text: str) -> None:
        sys.stdout.write(text)

    def read_line(self) -> str:
        return str(sys.stdin.readline())


class Run:
    """One run: the bridge to the solution, and the events told to the host."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._wire = Wire()
        self._printed = open_printed()
        sys.stdout = sys.stderr = self._printed
        sys.stdin = io.StringIO()  # a test that provides input replaces it
        root = Tests()
        self.bridge = Bridge(self._wire, root, TestsGuard(root), EXERCISE_FOLDER)
        self.bridge.before_request = self._tell_capture
        self._told_captured = False
        solution_modules.install(self.bridge, modules, EXERCISE_FOLDER)
        shared_patches.install(self.bridge)
        sys.modules["pytest"] = pytest_stand_in.make_module()
        assertions.install()

    def tell(self, event: str, **details: Any) -> None:
        """Send one event to the host."""
        self._printed.flush()
        self._wire.send(HOST, json.dumps({"event": event, **details}).encode())

    def _tell_capture(self) -> None:
        is_captured = sys.stdout is not self._printed
        if is_captured != self._told_captured:
            self._told_captured = is_captured
            self.bridge.ask_root("capture_output", is_captured)

    def load(self, file: str) -> list[FoundTest] | None:
        """Import one test file and find its tests; None, with the reason told, if something cannot load."""
        path = EXERCISE_FOLDER + file
        module = types.ModuleType(file.removesuffix(".py"))
        module.__file__ = path
        vars(module)[assertions.CHECK_NAME] = assertions.fail_check
        sys.modules[module.__name__] = module
        try:
            with open(path, encoding="utf-8") as opened:
                source = opened.read()
            exec(_compile(source, path), vars(module))  # running a test file is what this is for
            return find_tests(module, file)
        except BaseException as error:  # SystemExit at the top of a solution is a mistake to show
            self.tell("broken", **explain_broken(error))
            return None

    def run(self, tests: Sequence[FoundTest]) -> None:
        recorder = Recorder(self, tests)
        suite = unittest.TestSuite(test.case for test in tests)
        suite.run(recorder)


def _compile(source: str, path: str) -> Any:
    if "assert " in source:
        return assertions.compile_with_comparisons(source, path)
    return compile(source, path, "exec", dont_inherit=True)


class Recorder(unittest.TestResult):
    """Turns what unittest says of a test into one event for the host."""

    def __init__(self, run: Run, tests: Sequence[FoundTest]) -> None:
        super().__init__()
        self._run = run
        self._tests = {id(test.case): test for test in tests}
        self._open: dict[int, dict[str, Any]] = {}
        self._told: set[str] = set()
        self._started_at = 0.0

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._open[id(test)] = {"status": "passed"}
        self._run.bridge.failure_in_callback = None
        self._run.tell("started", id=self._tests[id(test)].identifier)
        self._started_at = time.perf_counter()

    def stopTest(self, test: Any) -> None:
        super().stopTest(test)
        swallowed = self._run.bridge.failure_in_callback
        if swallowed is not None and self._open[id(test)]["status"] == "passed":
            # An assertion in a callback failed, and the solution that called it caught what it raised.
            self._note(test, (type(swallowed), swallowed, None))
        details = self._open.pop(id(test))
        milliseconds = round((time.perf_counter() - self._started_at) * 1000, 1)
        self._tell(self._tests[id(test)], duration_ms=milliseconds, **details)

    def addFailure(self, test: Any, err: Any) -> None:
        self._note(test, err)

    def addError(self, test: Any, err: Any) -> None:
        if id(test) in self._open:
            self._note(test, err)
            return
        # A set-up of a class or module failed: none of its tests has run.
        for found in self._tests.values():
            owner = type(found.case)
            if found.identifier not in self._told and f"({owner.__module__}.{owner.__qualname__})" in str(test):
                self._tell(found, **explain(err[1], found.file))

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self._note(test, err, label=subtest._subDescription())

    def addSkip(self, test: Any, reason: str) -> None:
        if id(test) in self._open:
            self._open[id(test)] = {"status": "skipped", "message": assertions.clip(reason)}

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        pass

    def addUnexpectedSuccess(self, test: Any) -> None:
        self._open[id(test)] = {"status": "failed", "message": "this test was expected to fail, and passed"}

    def _note(self, test: Any, err: Any, label: str = "") -> None:
        """Keep the first thing that went wrong in a test; count the others."""
        if isinstance(err[1], PeerGone):
            self.stop()
        noted = self._open[id(test)]
        if noted["status"] in ("failed", "error"):
            noted["further_failures"] = noted.get("further_failures", 0) + 1
            return
        details = explain(err[1], self._tests[id(test)].file)
        if label:
            details["subtest"] = assertions.clip(label)
        self._open[id(test)] = details

    def _tell(self, test: FoundTest, **details: Any) -> None:
        self._told.add(test.identifier)
        self._run.tell("finished", id=test.identifier, **details)


def explain(error: BaseException, test_file: str) -> dict[str, Any]:
    """What a learner is told of an exception that ended a test."""
    places = getattr(error, "jiki_places", None)
    is_failure = isinstance(error, AssertionError) and places is None
    details: dict[str, Any] = {
        "status": "failed" if is_failure else "error",
        "message": _message(error, is_failure),
        "places": places or [],
    }
    comparison = getattr(error, "jiki_comparison", None)
    if comparison is not None:
        details["expected"], details["actual"] = comparison
    if not is_failure:
        details["error_type"] = assertions.clip(type(error).__name__)
    if isinstance(error, MemoryError):
        details["limit"] = "memory"
    lines = [s.lineno for s in traceback.extract_tb(error.__traceback__) if s.filename == EXERCISE_FOLDER + test_file]
    if lines:
        details["test_line"] = lines[-1]
    return details


def _message(error: BaseException, is_failure: bool) -> str:
    if isinstance(error, PeerGone):
        return assertions.clip(str(error))
    try:
        text = str(error)
    except BaseException:  # the solution's own __str__ can raise what it likes, or end the solution
        text = ""
    if is_failure:
        return assertions.clip(text)
    return assertions.clip(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def explain_broken(error: BaseException) -> dict[str, Any]:
    """Why nothing could be run: a syntax error, what the solution's top level raised, a name it lacks."""
    places = getattr(error, "jiki_places", None)
    details: dict[str, Any] = {
        "error_type": assertions.clip(type(error).__name__),
        "message": _message(error, isinstance(error, ImportError)),
        "places": places or [],
        "is_solution": places is not None or isinstance(error, (ImportError, PeerGone, PeerFault)),
    }
    if isinstance(error, SyntaxError):
        details["message"] = assertions.clip(str(error.msg))
        details["syntax"] = {
            "file": str(error.filename).removeprefix(EXERCISE_FOLDER),
            "line": error.lineno if isinstance(error.lineno, int) else 0,
            "column": error.offset if isinstance(error.offset, int) else 0,
            "text": assertions.clip(str(error.text or "").rstrip("\n")),
        }
    if isinstance(error, MemoryError):
        details["limit"] = "memory"
    return details


def main(test_files: Sequence[str], modules: Sequence[str]) -> None:
    """Run `test_files` against the solution whose modules are called `modules`, and end."""
    sys.path.insert(0, EXERCISE_FOLDER.rstrip("/"))
    sys.dont_write_bytecode = True
    run = Run(modules)
    run.tell("up")
    _load_and_run(run, test_files)
    os._exit(0)  # nothing is left to do, and tidying up would ask the solution's objects once more


def _load_and_run(run: Run, test_files: Sequence[str]) -> None:
    tests: list[FoundTest] = []
    for file in test_files:
        loaded = run.load(file)
        if loaded is None:
            return
        tests.extend(loaded)
    make_unique(tests)
    run.tell("collected", tests=[test.announcement() for test in tests])
    run.run(tests)
    run.tell("done")
