"""Runs a solution against its tests in a sandbox; knows neither app nor database.

    prepare_engine(Language.PYTHON, directory)      # once, at set-up: fetches and compiles
    handle = start_run(Exercise(...), limits=Limits(), on_progress=show, engine_directory=directory)
    report = handle.result()                        # or handle.cancel()

Names are imported when they are first used: the child process imports single modules of this room.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assets import EngineUnavailable, find_engine, prepare_engine
    from .exercise import CourseExercise, Exercise, InvalidExercise, Language, read_course_exercise
    from .limits import Limit, Limits
    from .report import (
        AnnouncedTest,
        Breakage,
        Outcome,
        Place,
        Progress,
        Report,
        Summary,
        TestFinished,
        TestResult,
        TestsCollected,
        TestStarted,
        TestStatus,
    )
    from .run_folder import sweep
    from .supervisor import RunHandle, start_run

_MODULES = {
    "assets": ("EngineUnavailable", "find_engine", "prepare_engine"),
    "exercise": ("CourseExercise", "Exercise", "InvalidExercise", "Language", "read_course_exercise"),
    "limits": ("Limit", "Limits"),
    "report": (
        *("AnnouncedTest", "Breakage", "Outcome", "Place", "Progress", "Report", "Summary"),
        *("TestFinished", "TestResult", "TestStarted", "TestStatus", "TestsCollected"),
    ),
    "run_folder": ("sweep",),
    "supervisor": ("RunHandle", "start_run"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AnnouncedTest",
    "Breakage",
    "CourseExercise",
    "EngineUnavailable",
    "Exercise",
    "InvalidExercise",
    "Language",
    "Limit",
    "Limits",
    "Outcome",
    "Place",
    "Progress",
    "Report",
    "RunHandle",
    "Summary",
    "TestFinished",
    "TestResult",
    "TestStarted",
    "TestStatus",
    "TestsCollected",
    "find_engine",
    "prepare_engine",
    "read_course_exercise",
    "start_run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
