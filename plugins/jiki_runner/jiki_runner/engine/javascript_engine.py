"""Runs JavaScript exercises in V8 (mini-racer): no files, no network, no processes, because V8 by itself has none.

Solution and tests share one isolate, so the language itself is frozen before the solution runs and the code that
judges lives in a closure that hands nothing out (javascript_guest/). Acorn, which reads the modules, runs before that
in an isolate of its own.
"""

from __future__ import annotations

import json
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
    JSPromiseError,
    JSTimeoutException,
    MiniRacer,
)
from py_mini_racer._exc import MiniRacerBaseException

from .ledger import limit_message
from .limits import MEBIBYTE, Limit, Limits

#: The parts of the harness, in the order in which they build on each other.
HARNESS_PARTS = ("hardening.js", "formatting.js", "expectations.js", "harness.js")
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
