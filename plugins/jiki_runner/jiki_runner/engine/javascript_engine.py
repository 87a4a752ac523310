"""Runs JavaScript exercises in V8 (mini-racer): no files, no network, no processes, because V8 by itself has
none.

Solution and tests share one isolate, so the language itself is frozen before the solution runs and the code
that judges lives in a closure that hands nothing out (javascript_guest/). Acorn, which reads the modules,
runs before that in an isolate of its own.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from py_mini_racer import (
    JSEvalException,
    JSFunction,
    JSOOMException,
    JSPromise,
    JSTimeoutException,
    MiniRacer,
)
from py_mini_racer._exc import MiniRacerBaseException

from .ledger import limit_message
from .limits import MEBIBYTE, Limit, Limits

#: The parts of the harness, in the order in which they build on each other.
HARNESS_PARTS = ("hardening.js", "formatting.js", "expectations.js", "harness.js")
#: What a module's function is given; the harness's `loadModule` has them in the same order.
MODULE_PARAMETERS = (
    "module",
    "exports",
    "require",
    "__jiki_require",
    "__jiki_exportAs",
    "__jiki_exportAll",
    "__jiki_importName",
    "__jiki_testing",
    "__dirname",
)
#: What a test file has without importing it, as in Jest.
TESTING_NAMES = (
    *("describe", "xdescribe", "test", "it", "xtest", "xit", "expect", "jest"),
    *("beforeAll", "beforeEach", "afterEach", "afterAll"),
)
#: The binding interrupts a program at its time limit; this much later the process ends itself.
WATCHDOG_SECONDS = 1.0
#: V8 needs room beside the objects of a program: for compiled code, and to move things while it collects.
V8_OVERHEAD_BYTES = 96 * MEBIBYTE

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class JavaScriptRun:
    """What the child process needs to know of a JavaScript run. Paths are the host's."""

    #: Acorn's source, see assets.py.
    runtime: str
    solution_folder: str
    tests_folder: str
    test_files: Sequence[str]
    limits: Limits


class _Broken(Exception):
    """A file cannot be read as JavaScript; carries the event to tell."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(event["message"])
        self.event = event


def _source(name: str) -> str:
    return resources.files(__package__).joinpath("javascript_guest", name).read_text("utf-8")


class JavaScriptEngine:
    """One run of one exercise."""

    def __init__(self, run: JavaScriptRun, tell: Tell) -> None:
        self._run = run
        self._tell = tell
        self._deadline = 0.0
        self._end_lock = threading.Lock()
        #: The start of the result that is due: of the loading, then of one test after the other.
        self._under_way: dict[str, Any] | None = {
            "event": "broken",
            "error_type": "",
            "message": "",
            "places": [],
            "is_solution": True,
        }
        solution = {path.name: path.read_text("utf-8") for path in sorted(Path(run.solution_folder).iterdir())}
        tests = {path.name: path.read_text("utf-8") for path in sorted(Path(run.tests_folder).iterdir())}
        self._solution_names = frozenset(solution)
        self._files = {**tests, **solution}
        self._transformer = MiniRacer()
        self._transformer.eval(Path(run.runtime).read_text("utf-8"))
        self._transformer.eval(_source("module_transform.js"))
        self._isolate = MiniRacer()
        options = json.dumps({"outputCharacters": run.limits.output_bytes})
        parts = "\n".join(map(_source, HARNESS_PARTS))
        harness: Any = self._isolate.eval(f"'use strict'; (function (hostOptions) {{\n{parts}\n}})({options})")
        self._api = {name: harness[name] for name in ("define", "load", "run", "takePrinted", "isOutputCut")}

    @property
    def memory_growth_bytes(self) -> int:
        """How much the process may grow from here: a program's heap and buffers, and what V8 needs beside
        them.
        """
        return self._run.limits.memory_bytes + V8_OVERHEAD_BYTES

    @property
    def readable_folders(self) -> list[str]:
        """Nothing: the files are read."""
        return []

    def start(self) -> None:
        """Nothing: V8 is up."""

    def execute(self) -> None:
        """Run to the end and tell everything, `ended` last."""
        limits = self._run.limits
        self._isolate.set_hard_memory_limit(limits.memory_bytes)
        self._deadline = time.monotonic() + limits.wall_clock_seconds
        watchdog = threading.Timer(limits.wall_clock_seconds + WATCHDOG_SECONDS, self._give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            for name, text in self._files.items():
                self._define(name, text)
            self._run_tests()
        except _Broken as broken:
            self._conclude(broken.event)
        except MiniRacerBaseException as error:
            self._conclude(self._stopped(error))
        is_cut = self._ask("isOutputCut", otherwise=False)
        output = self._ask("takePrinted", otherwise="")
        with self._end_lock:
            limits_hit = [Limit.OUTPUT] if is_cut else []
            self._tell({"event": "ended", "output": output, "limits": limits_hit})
            watchdog.cancel()

    def _conclude(self, event: dict[str, Any]) -> None:
        """Tell the result of what was under way."""
        with self._end_lock:
            self._under_way = None
            self._tell(event)

    def _give_up(self) -> None:
        """End the process: V8 is busy where the binding cannot interrupt it, as in settling a promise."""
        with self._end_lock:
            if self._under_way is not None:
                self._tell({**self._under_way, **self._limit_details(Limit.WALL_CLOCK)})
            self._tell({"event": "ended", "output": "", "limits": []})
            os._exit(0)

    def _define(self, name: str, text: str) -> None:
        """Hand one file to the harness as a function that has not run yet. Raises _Broken."""
        if name.endswith(".json"):
            code = f"module.exports = JSON.parse({json.dumps(text)});"
        elif name.endswith((".js", ".mjs")):
            code = self._transform(name, text)
        else:
            return
        is_test = name not in self._solution_names
        offered = f"const {{ {', '.join(TESTING_NAMES)} }} = __jiki_testing;" if is_test else ""
        wrapped = (
            f"(function ({', '.join(MODULE_PARAMETERS)}) {{ 'use strict'; {offered} {{ {code}\n}} }})\n"
            f"//# sourceURL={name}"
        )
        try:
            factory = self._isolate.eval(wrapped)
        except JSEvalException as error:  # what V8 finds wrong and acorn does not
            first_line = str(error).strip().splitlines()[-1]
            raise _Broken(self._syntax_event(name, text, first_line.removeprefix("SyntaxError: "), 0, 0)) from error
        self._api["define"](name, is_test, factory, text)

    def _transform(self, name: str, text: str) -> str:
        transform = self._transformer.eval("transformModule")
        if not isinstance(transform, JSFunction):
            raise TypeError("the module transform is not a function")
        result = json.loads(str(transform(text, name, timeout_sec=self._rest())))
        if "error" in result:
            error = result["error"]
            raise _Broken(self._syntax_event(name, text, error["message"], error["line"], error["column"]))
        return str(result["code"])

    def _syntax_event(self, name: str, text: str, message: str, line: int, column: int) -> dict[str, Any]:
        lines = text.splitlines()
        shown = lines[line - 1] if 0 < line <= len(lines) else ""
        return {
            "event": "broken",
            "error_type": "SyntaxError",
            "message": message,
            "places": [],
            "is_solution": name in self._solution_names,
            "syntax": {"file": name, "line": line, "column": column, "text": shown},
        }

    def _run_tests(self) -> None:
        names = "\n".join(self._run.test_files)
        loaded = json.loads(str(self._api["load"](names, timeout_sec=self._rest())))
        self._conclude(loaded)
        if loaded["event"] != "collected":
            return
        for index, test in enumerate(loaded["tests"]):
            self._under_way = {"event": "finished", "id": test["id"], "status": "error"}
            self._tell({"event": "started", "id": test["id"]})
            result: Any = self._api["run"](index, timeout_sec=self._rest())
            if isinstance(result, JSPromise):
                result = result.get(timeout=self._rest())
            self._conclude(json.loads(str(result)))
        self._tell({"event": "done"})

    def _stopped(self, error: MiniRacerBaseException) -> dict[str, Any]:
        """The result of what was under way, which ended like this."""
        event = {**(self._under_way or {}), "output": self._ask("takePrinted", otherwise="")}
        if isinstance(error, JSTimeoutException):
            return {**event, **self._limit_details(Limit.WALL_CLOCK)}
        if isinstance(error, JSOOMException) or self._isolate.was_hard_memory_limit_reached():
            return {**event, **self._limit_details(Limit.MEMORY)}
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return {**event, "message": f"The program ended the run: {lines[-1]}"}

    def _limit_details(self, limit: Limit) -> dict[str, Any]:
        details: dict[str, Any] = {"limit": limit, "message": limit_message(limit, self._run.limits)}
        if limit is Limit.WALL_CLOCK and (self._under_way or {}).get("event") == "finished":
            details["status"] = "timed_out"
        return details

    def _ask(self, name: str, otherwise: Any) -> Any:
        """Ask the harness something at the end; a program that cannot be stopped answers nothing."""
        try:
            return self._api[name](timeout_sec=0.5)
        except MiniRacerBaseException:
            return otherwise

    def _rest(self) -> float:
        return max(0.01, self._deadline - time.monotonic())
