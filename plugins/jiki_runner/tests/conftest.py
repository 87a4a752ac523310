"""Engines for the tests that run programs, and a look at what runs leave behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from jiki_runner.engine.assets import EngineUnavailable, prepare_engine
from jiki_runner.engine.exercise import Exercise, Language
from jiki_runner.engine.limits import Limits
from jiki_runner.engine.report import Progress, Report
from jiki_runner.engine.supervisor import RunHandle, start_run

#: The project's own cache, so that an engine is fetched and compiled once for all test runs.
ENGINE_DIRECTORY = Path(__file__).parents[3] / ".cache" / "runner"
#: Long enough for a slow machine; the limits under test are shorter.
RESULT_TIMEOUT_SECONDS = 90.0


#: modules whose tests start engines: minutes of CPU, so they run in the full suite only
_RUNS_PROGRAMS = frozenset(
    {
        "test_course",
        "test_hostile",
        "test_javascript_runs",
        "test_python_runs",
        "test_supervisor",
        "test_pytest_stand_in",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks them `soak`."""
    for item in items:
        if Path(str(item.path)).parent == Path(__file__).parent and item.path.stem in _RUNS_PROGRAMS:
            item.add_marker(pytest.mark.soak)


class Starter(Protocol):
    """`start(language, solution, tests, limits=…, on_progress=…)`: a run under way."""

    def __call__(
        self,
        language: Language,
        solution: Mapping[str, str],
        tests: Mapping[str, str],
        *,
        support: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> RunHandle: ...


class Runner(Protocol):
    """As Starter, waiting for the report."""

    def __call__(
        self,
        language: Language,
        solution: Mapping[str, str],
        tests: Mapping[str, str],
        *,
        support: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Report: ...


def need_engine(language: Language) -> None:
    """Skip, saying why, where the engine cannot be had; fail where CI promises it."""
    try:
        prepare_engine(language, ENGINE_DIRECTORY)
    except EngineUnavailable as error:
        if os.environ.get("CI") == "true" and os.environ.get("JIKI_RUNNER_REQUIRED") == "1":
            pytest.fail(f"the {language} engine is required here: {error}")
        pytest.skip(f"the {language} engine is not available: {error}")


@pytest.fixture(scope="session")
def python_engine() -> Path:
    """The directory of a prepared Python engine."""
    need_engine(Language.PYTHON)
    return ENGINE_DIRECTORY


@pytest.fixture(scope="session")
def javascript_engine() -> Path:
    """The directory of a prepared JavaScript engine."""
    need_engine(Language.JAVASCRIPT)
    return ENGINE_DIRECTORY


@pytest.fixture
def run_base(tmp_path: Path) -> Path:
    """Where this test's runs have their folders."""
    return tmp_path / "runs"


@pytest.fixture
def start(run_base: Path) -> Starter:
    """Starts runs; the test asks for the engine's own fixture as well."""

    def start_exercise(
        language: Language,
        solution: Mapping[str, str],
        tests: Mapping[str, str],
        *,
        support: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> RunHandle:
        return start_run(
            Exercise(language, solution, tests, support or {}),
            limits=limits,
            on_progress=on_progress,
            engine_directory=ENGINE_DIRECTORY,
            run_base=run_base,
        )

    return start_exercise


@pytest.fixture
def run(start: Starter) -> Runner:
    """Runs an exercise to its report."""

    def run_exercise(
        language: Language,
        solution: Mapping[str, str],
        tests: Mapping[str, str],
        *,
        support: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Report:
        handle = start(language, solution, tests, support=support, limits=limits, on_progress=on_progress)
        return handle.result(RESULT_TIMEOUT_SECONDS)

    return run_exercise


@pytest.fixture
def left_behind(run_base: Path) -> Callable[[], list[str]]:
    """What the runs of this test have left: folders of theirs, and children of this process."""
    # services of other tests are children too
    before = set(children_of(os.getpid()))

    def look() -> list[str]:
        folders = [str(path) for path in run_base.glob("run-*")]
        return folders + [f"process {pid}" for pid in children_of(os.getpid()) if pid not in before]

    return look


def children_of(parent: int) -> list[int]:
    """The processes whose parent is `parent`, zombies included. Empty where there is no /proc."""
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            children.append(int(status.parent.name))
    return children
