"""Runs one exercise in a child process and watches over it from outside: time, memory, what it says, how it
ends.

    handle = start_run(exercise, limits=Limits(), on_progress=show)
    report = handle.result()

Nothing that happens in the child can do more than end the run: the child is killed with its whole process
group, its folder is removed, and what it said so far becomes the report.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import child
from .assets import DEFAULT_DIRECTORY, EngineFiles, find_engine
from .exercise import Exercise, Language
from .ledger import Ending, ProtocolViolation, RunLedger
from .limits import MEBIBYTE, Limit, Limits
from .report import Progress, Report
from .run_folder import RunFolder

#: Loading an engine takes half a second; on a machine this much slower nothing could be run.
START_TIMEOUT_SECONDS = 30.0
#: The child ends itself at its time limit; this much later it is ended.
OVERTIME_SECONDS = 6.0
#: What the engines themselves occupy, at most, besides the learner's memory.
ENGINE_BYTES = 320 * MEBIBYTE
MAXIMUM_MESSAGE_BYTES = 16 * MEBIBYTE
MAXIMUM_SAID_BYTES = 64 * MEBIBYTE
_TICK_MILLISECONDS = 50
#: How V8 ends its process when it is refused memory that it cannot do without; not always with a word.
_GIVING_UP = (signal.SIGTRAP, signal.SIGILL)
#: V8 says first why it gave up, and then prints its stack.
_STDERR_BYTES = 16 * 1024


class RunHandle:
    """A run under way. Thread-safe."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._cancelled = threading.Event()
        self._report: Report | None = None
        self._error: BaseException | None = None

    def cancel(self) -> None:
        """End the run as soon as possible; its report says so. No effect once it is over."""
        self._cancelled.set()

    @property
    def is_done(self) -> bool:
        """Is the report there?"""
        return self._done.is_set()

    def result(self, timeout_seconds: float | None = None) -> Report:
        """Wait for the report. Raises TimeoutError, or what `on_progress` raised, which ends the run."""
        if not self._done.wait(timeout_seconds):
            raise TimeoutError(f"the run is not over after {timeout_seconds} seconds")
        if self._error is not None:
            raise self._error
        if self._report is None:
            raise RuntimeError("the run ended without a report")
        return self._report


def start_run(
    exercise: Exercise,
    *,
    limits: Limits | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    engine_directory: Path = DEFAULT_DIRECTORY,
    run_base: Path | None = None,
) -> RunHandle:
    """Start running `exercise`; returns at once.

    `on_progress` is called from the run's own thread, in order. `engine_directory` is where `prepare_engine`
    put the engines; `run_base` is where the run's folder is made (default: the system's temporary folder).
    Raises EngineUnavailable, and then nothing has been started.
    """
    files = find_engine(exercise.language, engine_directory.absolute())
    handle = RunHandle()
    run = _Run(handle, exercise, limits or Limits(), files, on_progress or (lambda progress: None), run_base)
    threading.Thread(target=run.execute, name="jiki-runner", daemon=True).start()
    return handle


class _Run:
    """One run, on a thread of its own: the kernel kills the child when this thread ends."""

    def __init__(
        self,
        handle: RunHandle,
        exercise: Exercise,
        limits: Limits,
        files: EngineFiles,
        on_progress: Callable[[Progress], None],
        run_base: Path | None,
    ) -> None:
        self._handle = handle
        self._exercise = exercise
        self._limits = limits
        self._files = files
        self._on_progress = on_progress
        self._run_base = run_base
        self._ledger = RunLedger(exercise, limits)
        self._unread = bytearray()
        self._said = 0
        self._stderr = bytearray()
        self._ready_at: float | None = None

    def execute(self) -> None:
        handle = self._handle
        started_at = time.monotonic()
        try:
            with RunFolder(self._run_base) as folder:
                ending = self._supervise(self._start_child(folder))
            handle._report = self._ledger.close(ending).lasting(time.monotonic() - started_at)
        except BaseException as error:  # handed to whoever waits for the result
            handle._error = error
        finally:
            handle._done.set()

    def _start_child(self, folder: RunFolder) -> subprocess.Popen[bytes]:
        exercise = self._exercise
        solution = folder.write("solution", {**exercise.support, **exercise.solution})
        tests = folder.write("tests", {**exercise.support, **exercise.tests})
        run: dict[str, Any] = {"runtime": str(self._files.runtime), "test_files": exercise.test_files}
        if exercise.language is Language.PYTHON:
            run["interpreter"] = str(self._files.compiled_interpreter)
            run["modules"] = exercise.modules
        request = {
            "import_root": str(Path(__file__).parents[2]),
            "parent": os.getpid(),
            "language": exercise.language,
            "limits": dataclasses.asdict(self._limits),
            "run": {**run, "solution_folder": str(solution), "tests_folder": str(tests)},
        }
        with folder.write_request(json.dumps(request).encode()).open("rb") as opened:
            return subprocess.Popen(
                [sys.executable, "-I", child.__file__],
                stdin=opened,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd=folder.path,
                close_fds=True,
                start_new_session=True,
            )

    def _supervise(self, process: subprocess.Popen[bytes]) -> Ending:
        """Listen until the child has ended, or end it; never leaves it, or anything it started, behind."""
        try:
            ending = self._listen(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        return ending if ending is not None else self._ending_of(process.returncode)

    def _listen(self, process: subprocess.Popen[bytes]) -> Ending | None:
        """Take in what the child says until its streams close (None) or it has to be ended (why)."""
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("the child was started without its streams")
        out, err = process.stdout.fileno(), process.stderr.fileno()
        poll = select.poll()
        for descriptor in (out, err):
            poll.register(descriptor, select.POLLIN)
        open_descriptors = {out, err}
        start_by = time.monotonic() + START_TIMEOUT_SECONDS
        while open_descriptors:
            for descriptor, _ in poll.poll(_TICK_MILLISECONDS):
                data = os.read(descriptor, 256 * 1024)
                if not data:
                    poll.unregister(descriptor)
                    open_descriptors.discard(descriptor)
                elif descriptor == err:
                    self._stderr += data[: _STDERR_BYTES - len(self._stderr)]
                else:
                    fault = self._take(data)
                    if fault:
                        return Ending(fault=fault)
            ending = self._why_end(process.pid, start_by)
            if ending is not None:
                return ending
        try:
            process.wait(OVERTIME_SECONDS)
        except subprocess.TimeoutExpired:
            return Ending(fault="The child process closed its streams and did not end.")
        return None

    def _why_end(self, pid: int, start_by: float) -> Ending | None:
        if self._handle._cancelled.is_set():
            return Ending(is_cancelled=True)
        now = time.monotonic()
        if self._ready_at is None:
            if now > start_by:
                return Ending(fault=f"The engine did not start within {START_TIMEOUT_SECONDS:g} seconds.")
        elif now > self._ready_at + self._limits.wall_clock_seconds + OVERTIME_SECONDS:
            return Ending(limit=Limit.WALL_CLOCK)
        if _resident_bytes(pid) > ENGINE_BYTES + 2 * self._limits.memory_bytes:
            return Ending(limit=Limit.MEMORY)
        return None

    def _take(self, data: bytes) -> str:
        """Take in a piece of the child's messages; what is wrong with it, if anything."""
        self._said += len(data)
        self._unread += data
        *lines, rest = self._unread.split(b"\n")
        self._unread = bytearray(rest)
        if self._said > MAXIMUM_SAID_BYTES or len(rest) > MAXIMUM_MESSAGE_BYTES:
            return "The child process said more than a run can have to say."
        try:
            for line in lines:
                self._apply(json.loads(line))
        except (ProtocolViolation, ValueError, RecursionError) as error:
            return f"The child process said something that does not fit: {error}"
        return ""

    def _apply(self, message: Mapping[str, Any]) -> None:
        if not isinstance(message, dict):
            raise ProtocolViolation("a message is not an object")
        if message.get("event") == "ready":
            self._ready_at = time.monotonic()
        progress = self._ledger.apply(message)
        if progress is not None:
            self._on_progress(progress)

    def _ending_of(self, return_code: int) -> Ending:
        """What it means that the child ended by itself with this code."""
        if return_code == 0:
            return Ending()
        said = self._stderr.decode("utf-8", "replace")
        if return_code == -signal.SIGXCPU:
            return Ending(limit=Limit.CPU)
        if -return_code in _GIVING_UP or "out of memory" in said or "MemoryError" in said:
            return Ending(limit=Limit.MEMORY)
        last_line = (said.strip().splitlines() or ["it said nothing"])[-1]
        what = f"signal {-return_code}" if return_code < 0 else f"status {return_code}"
        return Ending(fault=f"The child process ended with {what}: {last_line}")


def _resident_bytes(pid: int) -> int:
    """How much memory the process occupies; 0 where the system does not say, or it has ended."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as opened:
            return int(opened.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
