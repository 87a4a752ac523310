"""A run seen from outside: told as it goes, cancelled, failing, in company, leaving nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jiki_runner import engine
from jiki_runner.engine import (
    EngineUnavailable,
    Exercise,
    Language,
    Limits,
    Outcome,
    Progress,
    Report,
    RunHandle,
    TestFinished,
    TestsCollected,
    TestStarted,
    TestStatus,
    find_engine,
    start_run,
)

TESTS = """
import unittest
from answer import answer

class AnswerTest(unittest.TestCase):
    def test_first(self):
        self.assertEqual(answer(1), 1)

    def test_second(self):
        self.assertEqual(answer(2), 2)
"""
GOOD = "def answer(number):\n    return number\n"
ENDLESS = "def answer(number):\n    while number > 1: pass\n    return number\n"
LONG = Limits(wall_clock_seconds=60, cpu_seconds=60)
DEADLINE_SECONDS = 30.0

Start = Callable[..., RunHandle]
Run = Callable[..., Report]
LeftBehind = Callable[[], list[str]]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Poll until it holds; fail after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    done = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}")
        done.wait(0.02)


@pytest.mark.usefixtures("python_engine")
def test_progress_is_told_in_order_and_before_the_run_is_over(run: Run) -> None:
    told: list[Progress] = []
    report = run(Language.PYTHON, {"answer.py": GOOD}, {"answer_test.py": TESTS}, on_progress=told.append)
    assert [type(progress) for progress in told] == [
        TestsCollected,
        TestStarted,
        TestFinished,
        TestStarted,
        TestFinished,
    ]
    assert tuple(p.result for p in told if isinstance(p, TestFinished)) == report.results
    assert report.outcome is Outcome.PASSED


@pytest.mark.usefixtures("python_engine")
def test_a_result_is_told_while_the_next_test_is_still_running(start: Start) -> None:
    first_result = threading.Event()

    def note(progress: Progress) -> None:
        if isinstance(progress, TestFinished):
            first_result.set()

    handle = start(Language.PYTHON, {"answer.py": ENDLESS}, {"answer_test.py": TESTS}, limits=LONG, on_progress=note)
    assert first_result.wait(DEADLINE_SECONDS)
    assert not handle.is_done
    handle.cancel()
    handle.result(DEADLINE_SECONDS)


@pytest.mark.usefixtures("python_engine")
def test_a_run_can_be_cancelled_in_the_middle(start: Start, left_behind: LeftBehind) -> None:
    second_started = threading.Event()

    def note(progress: Progress) -> None:
        if isinstance(progress, TestStarted) and progress.test.name == "test_second":
            second_started.set()

    handle = start(Language.PYTHON, {"answer.py": ENDLESS}, {"answer_test.py": TESTS}, limits=LONG, on_progress=note)
    assert second_started.wait(DEADLINE_SECONDS)
    handle.cancel()
    report = handle.result(DEADLINE_SECONDS)
    assert report.outcome is Outcome.CANCELLED
    assert [result.status for result in report.results] == [TestStatus.PASSED, TestStatus.NOT_RUN]
    assert left_behind() == []


@pytest.mark.usefixtures("python_engine")
def test_a_run_can_be_cancelled_at_once_and_cancelling_it_later_changes_nothing(start: Start) -> None:
    handle = start(Language.PYTHON, {"answer.py": ENDLESS}, {"answer_test.py": TESTS}, limits=LONG)
    handle.cancel()
    report = handle.result(DEADLINE_SECONDS)
    assert report.outcome is Outcome.CANCELLED
    handle.cancel()
    assert handle.result() is report


@pytest.mark.usefixtures("python_engine")
def test_waiting_for_a_result_has_its_own_time_limit(start: Start) -> None:
    handle = start(Language.PYTHON, {"answer.py": ENDLESS}, {"answer_test.py": TESTS}, limits=LONG)
    with pytest.raises(TimeoutError, match="not over"):
        handle.result(0.05)
    handle.cancel()
    handle.result(DEADLINE_SECONDS)


@pytest.mark.usefixtures("python_engine")
def test_an_error_of_the_listener_ends_the_run_and_is_raised(start: Start, left_behind: LeftBehind) -> None:
    def refuse(progress: Progress) -> None:
        raise LookupError("nobody listens")

    handle = start(Language.PYTHON, {"answer.py": ENDLESS}, {"answer_test.py": TESTS}, limits=LONG, on_progress=refuse)
    with pytest.raises(LookupError, match="nobody listens"):
        handle.result(DEADLINE_SECONDS)
    assert left_behind() == []


COMPANY = """
import os
def answer(number):
    print("NAME", sorted(os.listdir("/exercise")), sorted(os.environ))
    return number if sorted(os.listdir("/exercise")) == ["answer.py", "NAME.txt"] else 0
"""


@pytest.mark.usefixtures("python_engine")
def test_two_runs_at_once_do_not_see_each_other(start: Start, left_behind: LeftBehind) -> None:
    handles = {
        name: start(
            Language.PYTHON,
            {"answer.py": COMPANY.replace("NAME", name)},
            {"answer_test.py": TESTS},
            support={f"{name}.txt": name},
        )
        for name in ("left", "right")
    }
    for name, handle in handles.items():
        report = handle.result(DEADLINE_SECONDS)
        assert report.outcome is Outcome.PASSED, report
        printed = "".join(result.output for result in report.results)
        assert printed.count(f"{name} ['answer.py', '{name}.txt']") == 2
        assert ({"left", "right"} - {name}).pop() not in printed
    assert left_behind() == []


@pytest.mark.usefixtures("python_engine")
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system has no /proc to look at")
def test_the_child_is_alone_in_its_session_and_inherits_neither_files_nor_environment(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIKI_SECRET_OF_THE_WORKER", "42")
    started = threading.Event()
    with (tmp_path / "worker.log").open("w") as log:
        os.set_inheritable(log.fileno(), True)
        handle = start(
            Language.PYTHON,
            {"answer.py": ENDLESS.replace("number > 1", "True")},
            {"answer_test.py": TESTS},
            limits=LONG,
            on_progress=lambda progress: started.set(),
        )
        assert started.wait(DEADLINE_SECONDS)
        (child,) = [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if b"jiki_runner/engine/child.py" in read(path) and parent_of(int(path.parent.name)) == os.getpid()
        ]
        assert os.getsid(child) == os.getpgid(child) == child
        opened = [os.readlink(path) for path in Path(f"/proc/{child}/fd").iterdir()]
        assert not [path for path in opened if "worker.log" in path]
        assert not [path for path in opened if path.startswith("/") and not allowed(path)]
        assert b"JIKI_SECRET" not in read(Path(f"/proc/{child}/environ"))
    handle.cancel()
    handle.result(DEADLINE_SECONDS)


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def parent_of(pid: int) -> int:
    fields = read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def allowed(path: str) -> bool:
    return path.endswith(("/solution", "/tests", "request.json", "request.json (deleted)", ".cwasm", "/dev/null"))


WORKER = """
import pathlib, sys, threading
from jiki_runner.engine import Exercise, Language, Limits, start_run
import test_texts as texts
solution = {"answer.py": "def answer(number):\\n    while True: pass\\n"}
start_run(
    Exercise(Language.PYTHON, solution, {"answer_test.py": texts.TESTS}),
    limits=Limits(wall_clock_seconds=60, cpu_seconds=60),
    engine_directory=pathlib.Path(sys.argv[1]),
    run_base=pathlib.Path(sys.argv[2]),
    on_progress=lambda progress: print("running", flush=True),
)
threading.Event().wait(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of other systems does not end children with parents")
def test_when_the_worker_is_killed_the_run_dies_with_it_and_the_next_run_tidies_up(
    run: Run, python_engine: Path, run_base: Path, tmp_path: Path, left_behind: LeftBehind
) -> None:
    (tmp_path / "test_texts.py").write_text(f"TESTS = {TESTS!r}\n", "utf-8")
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(python_engine), str(run_base)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )
    assert worker.stdout is not None
    with worker.stdout:
        assert worker.stdout.readline() == b"running\n"
        (child,) = [pid for pid in every_process() if parent_of(pid) == worker.pid]
        worker.send_signal(signal.SIGKILL)
        worker.wait(DEADLINE_SECONDS)
    wait_for(lambda: not Path(f"/proc/{child}/stat").exists() or state_of(child) == "Z", "the child to die")
    assert len(list(run_base.glob("run-*"))) == 1
    report = run(Language.PYTHON, {"answer.py": GOOD}, {"answer_test.py": TESTS})
    assert report.outcome is Outcome.PASSED
    assert left_behind() == []


def every_process() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def state_of(pid: int) -> str:
    fields = read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return fields[0].decode() if fields else "Z"


def test_an_engine_that_breaks_is_a_fault_and_says_what_happened(
    python_engine: Path, tmp_path: Path, run_base: Path, left_behind: LeftBehind
) -> None:
    shutil.copytree(python_engine, tmp_path / "engine")
    interpreter = find_engine(Language.PYTHON, tmp_path / "engine").compiled_interpreter
    assert interpreter is not None
    interpreter.write_bytes(b"not a compiled interpreter")
    handle = start_run(
        Exercise(Language.PYTHON, {"answer.py": GOOD}, {"answer_test.py": TESTS}),
        engine_directory=tmp_path / "engine",
        run_base=run_base,
    )
    report = handle.result(DEADLINE_SECONDS)
    assert report.outcome is Outcome.FAULT
    assert "ended with status 1" in report.message
    assert left_behind() == []


def test_nothing_is_started_where_there_is_no_engine(tmp_path: Path, run_base: Path) -> None:
    exercise = Exercise(Language.PYTHON, {"answer.py": GOOD}, {"answer_test.py": TESTS})
    with pytest.raises(EngineUnavailable, match="flask runner prepare"):
        start_run(exercise, engine_directory=tmp_path / "empty", run_base=run_base)
    assert not run_base.exists()


@pytest.mark.usefixtures("python_engine")
def test_more_computing_time_than_allowed_is_said_to_be_that(run: Run) -> None:
    limits = Limits(wall_clock_seconds=60, cpu_seconds=2)
    report = run(Language.PYTHON, {"answer.py": ENDLESS}, {"answer_test.py": TESTS}, limits=limits)
    assert report.outcome is Outcome.STOPPED
    assert report.limits_hit == {engine.Limit.CPU}
    assert report.message == "The program used more than 2 seconds of computing time."
    assert [r.status for r in report.results] == [TestStatus.PASSED, TestStatus.TIMED_OUT]


@pytest.mark.parametrize("name", engine.__all__)
def test_what_the_room_offers_is_there(name: str) -> None:
    assert getattr(engine, name) is not None


def test_the_room_offers_nothing_else() -> None:
    with pytest.raises(AttributeError, match="start_walk"):
        _ = engine.start_walk
