"""The processes of a stack: started with prefixed logs, restarted after a crash, stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from jiki_core.devserver.lifelines import dies_with_parent
from jiki_core.devserver.reaper import Reaper

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 10.0
#: Who ran this long before it crashed is restarted without delay again.
STEADY_SECONDS = 10.0

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)


@dataclass(frozen=True, slots=True)
class Program:
    """How one process of the stack is started."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    #: File descriptors it inherits, under their own numbers.
    descriptors: tuple[int, ...] = ()
    #: How long it may take to finish what it does when asked to stop.
    stop_seconds: float = 5.0


class LogPrinter:
    """Writes the lines of all processes to standard error, each behind the name of its process."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr
        self._is_coloured = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """One line of the process `name`."""
        with self._lock:
            prefix = f"{name:<9} | "
            if self._is_coloured:
                colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
                prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
            with contextlib.suppress(BrokenPipeError):
                self._stream.write(f"{prefix}{text}\n")
                self._stream.flush()


class RunningProcess:
    """One started process, leader of its own process group; its output goes to the printer line by line."""

    def __init__(self, program: Program, printer: LogPrinter, reaper: Reaper) -> None:
        self.program = program
        self.started_at = time.monotonic()
        self.last_lines: list[str] = []
        self._printer = printer
        self._reaper = reaper
        with warnings.catch_warnings():
            # Python 3.12 warns of forking beside threads; all the child does before it becomes `command` is one call.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=program.descriptors,
                start_new_session=True,  # Ctrl-C is for us; we then stop everything in order
                # All processes are started by the main thread, which lives as long as we do.
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
        reaper.watch(self._process.pid)
        self._reader = threading.Thread(target=self._copy_output, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's too."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        status = self._process.poll()
        if status is not None:
            self._reaper.forget(self._process.pid)
        return status

    def ask_to_stop(self) -> None:
        """Send SIGTERM; it may finish what it does."""
        if self.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Ask, wait `stop_seconds`, then kill its whole group."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.program.stop_seconds)
        self.kill()

    def kill(self) -> None:
        """End it and all its children now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reaper.forget(self._process.pid)
        self._reader.join(1)

    def wait(self) -> int:
        """Its exit status, once it has ended and its output is printed."""
        status = self._process.wait()
        self._reaper.forget(self._process.pid)
        self._reader.join(1)
        return status

    def _copy_output(self) -> None:
        assert self._process.stdout is not None  # given above
        with self._process.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip()
                self.last_lines = [*self.last_lines[-30:], line]
                self._printer.line(self.program.name, line)


@dataclass
class _Supervised:
    process: RunningProcess
    delay_seconds: float = 0.0
    restart_at: float | None = field(default=None)


class ProcessGroup:
    """The supervised processes by name, in the order of their first start; for the main thread only."""

    def __init__(self, printer: LogPrinter, reaper: Reaper) -> None:
        self._printer = printer
        self._reaper = reaper
        self._supervised: dict[str, _Supervised] = {}
        self._candidates: list[RunningProcess] = []
        #: Replaced ones that still finish what they do, and until when they may.
        self._retiring: list[tuple[RunningProcess, float]] = []

    def start(self, program: Program) -> RunningProcess:
        """Start a program and keep it running from now on."""
        process = RunningProcess(program, self._printer, self._reaper)
        self._supervised[program.name] = _Supervised(process)
        return process

    def start_candidate(self, program: Program) -> RunningProcess:
        """Start a program beside the one that runs under its name; `promote` or `discard` decides."""
        process = RunningProcess(program, self._printer, self._reaper)
        self._candidates.append(process)
        return process

    def promote(self) -> None:
        """Let the candidates take over; those they replace are asked to finish what they do and end."""
        for process in self._candidates:
            before = self._supervised.get(process.program.name)
            self._supervised[process.program.name] = _Supervised(process)
            if before is not None:
                before.process.ask_to_stop()
                self._retiring.append((before.process, time.monotonic() + process.program.stop_seconds))
        self._candidates = []

    def discard(self) -> None:
        """Kill the candidates."""
        for process in self._candidates:
            process.kill()
        self._candidates = []

    def run_to_end(self, program: Program) -> RunningProcess:
        """Run a program that ends by itself; it has ended when this returns."""
        process = RunningProcess(program, self._printer, self._reaper)
        try:
            process.wait()
        except BaseException:
            process.kill()
            raise
        return process

    def is_running(self, name: str) -> bool:
        """Whether the process of that name runs now."""
        return name in self._supervised and self._supervised[name].process.poll() is None

    def look_after(self) -> None:
        """Start again what ended by itself, later and later if it crashes at once; to be called often."""
        now = time.monotonic()
        for process, deadline in self._retiring:
            if now > deadline:
                process.kill()
        self._retiring = [entry for entry in self._retiring if entry[0].poll() is None]
        for name, entry in self._supervised.items():
            status = entry.process.poll()
            if status is None:
                continue
            if entry.restart_at is None:
                is_steady = now - entry.process.started_at > STEADY_SECONDS
                delay = (
                    0.0 if is_steady else min(max(entry.delay_seconds * 2, FIRST_DELAY_SECONDS), LONGEST_DELAY_SECONDS)
                )
                entry.delay_seconds, entry.restart_at = delay, now + delay
                when = f"in {delay:g} s" if delay else "now"
                self._printer.line("jiki", f"{name} ended ({_described(status)}); starting it again {when}")
            elif now >= entry.restart_at:
                entry.process = RunningProcess(entry.process.program, self._printer, self._reaper)
                entry.restart_at = None

    def stop(self) -> None:
        """Stop everything; all are asked, the last started first, before the first is waited for."""
        self.discard()
        running = [entry.process for entry in reversed(self._supervised.values())]
        for process in running:
            process.ask_to_stop()
        for process in running:
            process.stop()
        for process, _ in self._retiring:
            process.kill()
        self._supervised, self._retiring = {}, []


def _described(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
