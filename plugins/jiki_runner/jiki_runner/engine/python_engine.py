"""Runs Python exercises: two CPython interpreters in WebAssembly, one for the solution, one for the tests.

Each has its own memory, its own read-only folder, no network, no processes and no way to the other but frames
of bytes, relayed here. What the solution does to its own interpreter (patching unittest, searching memory,
ending it) cannot reach the one that decides.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import Any

import wasmtime

from .ledger import limit_message
from .limits import Limit, Limits
from .output import PrintedOutput
from .python_guest.wire import GONE, HEADER_BYTES, HOST, MAXIMUM_PAYLOAD_BYTES, PEER

PACKAGE = "jiki_guest"
GUEST_FOLDER = "/exercise"
#: Of each interpreter's own stack; recursion ends in RecursionError well before.
STACK_BYTES = 2 * 1024 * 1024
#: Of the threads that the interpreters run on; the rest is the engine's own.
THREAD_STACK_BYTES = STACK_BYTES + 8 * 1024 * 1024
#: Frames on their way, and what a fragmented heap wastes.
RELAY_BYTES = 64 * 1024 * 1024
#: After the solution was stopped, the tests' interpreter has this long to tell the results it has.
GRACE_SECONDS = 2.0

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class PythonRun:
    """What the child process needs to know of a Python run. Paths are the host's."""

    #: The compiled interpreter and the guests' compiled runtime, see assets.py.
    interpreter: str
    runtime: str
    solution_folder: str
    tests_folder: str
    test_files: Sequence[str]
    modules: Sequence[str]
    limits: Limits


def configure() -> wasmtime.Config:
    """The configuration for compiling and running, which must be the same.

    Without epoch interruption, whose checks were measured to cost 65 % in a loop: what will not stop is ended
    with the process.
    """
    config = wasmtime.Config()
    config.max_wasm_stack = STACK_BYTES
    return config


def bootstrap_source() -> str:
    """The program that each guest starts with."""
    return resources.files(__package__).joinpath("python_guest/bootstrap.py").read_text("utf-8")


class FrameSplitter:
    """Puts the frames of wire.py together from whatever pieces a guest writes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The frames that `data` completes: (kind, payload). Raises ValueError for an impossible length."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= HEADER_BYTES:
            length = int.from_bytes(self._buffer[:4], "big")
            if length > MAXIMUM_PAYLOAD_BYTES:
                raise ValueError(f"a frame announces {length} bytes")
            if len(self._buffer) < HEADER_BYTES + length:
                break
            frames.append((bytes(self._buffer[4:5]), bytes(self._buffer[HEADER_BYTES : HEADER_BYTES + length])))
            del self._buffer[: HEADER_BYTES + length]
        return frames


class Guest:
    """One interpreter: its store, its folder, its line in, and what it writes."""

    def __init__(
        self,
        engine: wasmtime.Engine,
        module: wasmtime.Module,
        *,
        role: str,
        arguments: Sequence[Any],
        folder: str,
        memory_bytes: int,
        on_frame: Callable[[bytes, bytes], None],
        on_printed: Callable[[bytes], None],
    ) -> None:
        self._on_frame = on_frame
        self._splitter = FrameSplitter()
        self._read_end, self._write_end = os.pipe()
        self._write_lock = threading.Lock()
        self._is_confused = False
        self._store = wasmtime.Store(engine)
        self._store.set_limits(memory_size=memory_bytes, instances=1, memories=1)
        self._memory_limit = memory_bytes
        wasi = wasmtime.WasiConfig()
        wasi.argv = ("python", "-c", bootstrap_source(), role, json.dumps(arguments))
        wasi.env = (("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUTF8", "1"))
        wasi.preopen_dir(folder, GUEST_FOLDER, fs_mutable=False)
        wasi.stdin_file = f"/dev/fd/{self._read_end}"
        wasi.stdout_custom = self._written
        wasi.stderr_custom = on_printed
        self._store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self._instance = linker.instantiate(self._store, module)
        os.close(self._read_end)  # the store has its own; when it is gone, writing fails instead of waiting

    def run(self) -> str:
        """Run to the end; why it ended, in one sentence for the learner."""
        start = self._instance.exports(self._store)["_start"]
        if not isinstance(start, wasmtime.Func):
            raise TypeError("the interpreter has no _start")
        try:
            start(self._store)
        except wasmtime.ExitTrap as ended:
            return f"The program ended itself (exit status {ended.code}) before the tests were over."
        except wasmtime.Trap as trap:
            if trap.trap_code == wasmtime.TrapCode.STACK_OVERFLOW:
                return "The program called itself too deeply."
            return "The program crashed its interpreter."
        except wasmtime.WasmtimeError:
            return "The program crashed its interpreter."
        return "The program ended itself before the tests were over."

    def send(self, kind: bytes, payload: bytes) -> None:
        """Put a frame on the guest's line; nothing happens if the guest has ended."""
        self.send_raw(len(payload).to_bytes(4, "big") + kind + payload)

    def send_raw(self, data: bytes) -> None:
        with self._write_lock, suppress(BrokenPipeError):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._write_end, rest) :]

    @property
    def has_filled_memory(self) -> bool:
        """Has it grown to its limit? Ask only when it has ended."""
        memory = self._instance.exports(self._store).get("memory")
        return isinstance(memory, wasmtime.Memory) and memory.data_len(self._store) > 0.9 * self._memory_limit

    def _written(self, data: bytes) -> None:
        if self._is_confused:
            return
        try:
            frames = self._splitter.feed(data)
        except ValueError:
            self._is_confused = True  # it wrote on its own line; the tests wait in vain, up to the time limit
            return
        for kind, payload in frames:
            self._on_frame(kind, payload)


class PythonEngine:
    """One run of one exercise."""

    def __init__(self, run: PythonRun, tell: Tell) -> None:
        self._run = run
        self._tell = tell
        self._output = PrintedOutput(run.limits.output_bytes)
        self._engine = wasmtime.Engine(configure())
        self._end_lock = threading.Lock()
        self._limit: Limit | None = None
        self._ended_because = ""
        self._has_told_all = False
        self._solution_thread = threading.Thread(target=self._run_solution, daemon=True)
        self._tests_thread = threading.Thread(target=self._run_tests, daemon=True)
        #: Held until the tests' interpreter has said that it is up, or has ended.
        self._is_up = threading.Semaphore(0)
        module = wasmtime.Module.deserialize_file(self._engine, run.interpreter)
        memory_bytes = run.limits.memory_bytes
        self._solution = Guest(
            self._engine,
            module,
            role="solution_side",
            arguments=[],
            folder=run.solution_folder,
            memory_bytes=memory_bytes,
            on_frame=self._from_solution,
            on_printed=self._output.add,
        )
        self._tests = Guest(
            self._engine,
            module,
            role="tests_side",
            arguments=[list(run.test_files), list(run.modules)],
            folder=run.tests_folder,
            memory_bytes=memory_bytes,
            on_frame=self._from_tests,
            on_printed=self._output.add,
        )
        with open(run.runtime, "rb") as opened:
            self._runtime = opened.read()

    @property
    def memory_growth_bytes(self) -> int:
        """How much the process may grow from here: both interpreters, and what relaying needs."""
        return 2 * self._run.limits.memory_bytes + RELAY_BYTES

    @property
    def readable_folders(self) -> list[str]:
        """What the interpreters open while they run."""
        return [self._run.solution_folder, self._run.tests_folder]

    def start(self) -> None:
        """Start both interpreters; returns when the tests' one is about to load the first test file."""
        threading.stack_size(THREAD_STACK_BYTES)
        for thread in (self._solution_thread, self._tests_thread):
            thread.start()
        for guest in (self._solution, self._tests):
            guest.send_raw(len(self._runtime).to_bytes(8, "big") + self._runtime)
        self._is_up.acquire()

    def execute(self) -> None:
        """Run to the end and tell everything, `ended` last."""
        tests = self._tests_thread
        tests.join(self._run.limits.wall_clock_seconds)
        if tests.is_alive():
            self._stop(Limit.WALL_CLOCK)
            tests.join(GRACE_SECONDS)
        fault = ""
        with self._end_lock:
            if not (tests.is_alive() or self._has_told_all):
                if self._tests.has_filled_memory:
                    self._limit = self._limit or Limit.MEMORY
                elif self._limit is None:
                    fault = "The tests' own interpreter ended before it had told all results."
        limits = [limit for limit in (self._limit, Limit.OUTPUT if self._output.is_cut else None) if limit]
        self._tell({"event": "ended", "output": self._output.take(), "limits": limits, "fault": fault})

    def _stop(self, limit: Limit) -> None:
        with self._end_lock:
            self._limit = limit
        self._solution_ended(limit_message(limit, self._run.limits))

    def _run_solution(self) -> None:
        reason = self._solution.run()
        if self._solution.has_filled_memory:
            with self._end_lock:
                self._limit = self._limit or Limit.MEMORY
            reason = limit_message(Limit.MEMORY, self._run.limits)
        self._solution_ended(reason)

    def _solution_ended(self, reason: str) -> None:
        with self._end_lock:
            if self._ended_because:
                return
            self._ended_because = reason
        self._tests.send(GONE, reason.encode())

    def _run_tests(self) -> None:
        self._tests.run()
        self._is_up.release()

    def _from_solution(self, kind: bytes, payload: bytes) -> None:
        if kind == PEER:
            self._tests.send(PEER, payload)

    def _from_tests(self, kind: bytes, payload: bytes) -> None:
        if kind == PEER:
            self._solution.send(PEER, payload)
        elif kind == HOST:
            event = json.loads(payload)
            if event["event"] == "up":
                self._is_up.release()
                return
            if event["event"] in ("finished", "broken"):
                self._complete(event)
            self._has_told_all = event["event"] in ("done", "broken")
            self._tell(event)

    def _complete(self, event: dict[str, Any]) -> None:
        """Add to a result what only this side knows: what was printed, and which limit ended the solution."""
        event["output"] = self._output.take()
        if event.get("error_type") == "PeerGone":
            event["error_type"] = ""
            with self._end_lock:
                event["limit"] = self._limit
            if event["event"] == "finished" and event["limit"] is Limit.WALL_CLOCK:
                event["status"] = "timed_out"
