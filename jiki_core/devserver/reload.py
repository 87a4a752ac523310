"""Watches the project's code and decides what a save means: take it, or keep the last good code serving."""

from __future__ import annotations

import os
import queue
import select
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import Change, watch

from jiki_core.devserver.processes import ProcessGroup, Program
from jiki_core.devserver.verdict import (
    BROKEN_STATES,
    PIPE_VARIABLE,
    Breakage,
    Findings,
    Verdict,
    forget_error,
    keep_error,
)

WATCHED_SUFFIXES = frozenset({".py", ".toml", ".html", ".j2", ".mjml"})
BOOT_SECONDS = 60.0


class CodeWatcher:
    """Collects the project's files as they are saved, in a thread of its own."""

    def __init__(self, project: Path, further: Sequence[Path] = ()) -> None:
        """`further` are packages outside the project, such as those of a plugin's author."""
        self._saved: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._stop = threading.Event()
        packages = [project / "jiki_core", *sorted((project / "plugins").glob("*/*/")), *further]
        # The project's own folder holds the environment too: of it, only the top is watched.
        self._watch_in_thread([project], is_recursive=False)
        if sources := [folder for folder in packages if (folder / "__init__.py").exists()]:
            self._watch_in_thread(sources, is_recursive=True)

    def saved(self, wait_seconds: float) -> set[Path]:
        """The files saved since the last call; waits up to `wait_seconds` for the first."""
        found: set[Path] = set()
        try:
            found.add(self._saved.get(timeout=wait_seconds))
            while True:
                found.add(self._saved.get_nowait())
        except queue.Empty:
            return found

    def has_saved(self) -> bool:
        """Whether `saved` would return something at once."""
        return not self._saved.empty()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()

    def _watch_in_thread(self, folders: Sequence[Path], *, is_recursive: bool) -> None:
        threading.Thread(target=self._watch, args=(folders, is_recursive), daemon=True).start()

    def _watch(self, folders: Sequence[Path], is_recursive: bool) -> None:
        for changes in watch(
            *folders,
            watch_filter=_is_watched,
            recursive=is_recursive,
            debounce=150,
            step=30,
            stop_event=self._stop,
            rust_timeout=500,
            yield_on_timeout=False,
        ):
            for _, name in changes:
                self._saved.put(Path(name))


class Reloader:
    """Starts the servers, at first and after each save, and lets new ones take over once they stand."""

    def __init__(
        self,
        group: ProcessGroup,
        servers: Sequence[Program],
        workers: Sequence[Program],
        data_dir: Path,
        say: Callable[[str], None],
        has_saved: Callable[[], bool],
    ) -> None:
        self._group = group
        #: The first tells the verdict.
        self._servers = servers
        self._workers = workers
        self._data_dir = data_dir
        self._say = say
        self._has_saved = has_saved
        self.findings = Findings()

    def first_start(self) -> Breakage | None:
        """Start everything; what is wrong if the app can't be built (then nothing runs)."""
        forget_error(self._data_dir)
        verdict = self._start_candidates([*self._servers, *self._workers], is_interrupted=lambda: False)
        assert verdict is not None  # nothing interrupts it
        if verdict.breakage:
            self._group.discard()
        else:
            self._take_over(verdict)
        return verdict.breakage

    def reload(self, saved: set[Path]) -> None:
        """Bring up the saved code beside the running one and let it take over, unless it is broken."""
        started_at = time.monotonic()
        breakage = _syntax_error(saved)
        if breakage is None:
            verdict = self._start_candidates(self._servers, is_interrupted=self._has_saved)
            if verdict is None:  # saved again meanwhile: that is what counts
                self._group.discard()
                return
            breakage = verdict.breakage or self._lost_plugin(verdict)
            if breakage is None:
                # Only now: what the servers can't load needn't be loaded by the workers, and web is back sooner.
                for program in self._workers:
                    self._group.start_candidate(program)
                self._take_over(verdict)
                forget_error(self._data_dir)
                self._say(f"reloaded {_named(saved)} in {time.monotonic() - started_at:.1f} s")
                return
            self._group.discard()
        keep_error(self._data_dir, breakage)
        self._say(f"not reloaded, the last good code keeps serving:\n{breakage.sentence()}")

    def _take_over(self, verdict: Verdict) -> None:
        self.findings = verdict.findings
        self._group.promote()

    def _start_candidates(self, programs: Sequence[Program], is_interrupted: Callable[[], bool]) -> Verdict | None:
        """Start programs anew; the first one's verdict, or None when interrupted before it came."""
        read_end, write_end = os.pipe()
        try:
            for index, program in enumerate(programs):
                self._group.start_candidate(_with_pipe(program, write_end) if index == 0 else program)
            os.close(write_end)
            write_end = -1
            return self._read_verdict(read_end, is_interrupted)
        finally:
            os.close(read_end)
            if write_end >= 0:
                os.close(write_end)

    def _read_verdict(self, pipe: int, is_interrupted: Callable[[], bool]) -> Verdict | None:
        deadline = time.monotonic() + BOOT_SECONDS
        told = b""
        while time.monotonic() < deadline:
            if is_interrupted():
                return None
            readable, _, _ = select.select([pipe], [], [], 0.05)
            if readable:
                received = os.read(pipe, 65536)
                told += received
                if not received or told.endswith(b"\n"):
                    return Verdict.parse(told.decode())
        return Verdict(
            Breakage(f"the app did not start within {BOOT_SECONDS:g} s", "", 0, "see the lines above"), Findings()
        )

    def _lost_plugin(self, verdict: Verdict) -> Breakage | None:
        """The first plugin that ran until now and does not any more, through a fault of its code."""
        for name, (state, cause, remedy) in verdict.findings.plugins.items():
            before = self.findings.plugins.get(name, ("", "", ""))[0]
            if before == "running" and state in BROKEN_STATES:
                return Breakage(f"plugin {name} would be {state}: {cause}", "", 0, remedy)
        return None


def _is_watched(change: Change, name: str) -> bool:
    path = Path(name)
    return path.suffix in WATCHED_SUFFIXES and not path.name.startswith(".")


def _syntax_error(saved: set[Path]) -> Breakage | None:
    """The first syntax error in the saved files, found without starting anything."""
    for path in sorted(saved):
        if path.suffix != ".py" or not path.exists():
            continue
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            return Breakage(f"SyntaxError: {error.msg}", str(path), error.lineno or 0, "correct this line and save")
        except ValueError as error:  # a NUL byte
            return Breakage(f"{error}", str(path), 0, "correct this file and save")
    return None


def _with_pipe(program: Program, descriptor: int) -> Program:
    environment = {**program.environment, PIPE_VARIABLE: str(descriptor)}
    return Program(
        program.name,
        program.command,
        environment,
        program.folder,
        (*program.descriptors, descriptor),
        program.stop_seconds,
    )


def _named(saved: set[Path]) -> str:
    names = sorted(path.name for path in saved)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
