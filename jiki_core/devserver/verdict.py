"""Whether an app could be built from the code as it is: told to `bin/dev` over a pipe, kept for `/dev`."""

from __future__ import annotations

import contextlib
import json
import os
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

from jiki_core.devserver.engines import read_json, write_json

#: Names the descriptor of the pipe. Not JIKI_…: those are settings, and unknown ones are refused.
PIPE_VARIABLE = "DEVSERVER_VERDICT_FD"
#: States in which a plugin's code is at fault; others (disabled, available, ...) are somebody's wish.
BROKEN_STATES = frozenset(
    {"import-failed", "invalid", "incompatible", "misconfigured", "configure-failed", "schema-behind", "blocked"}
)
_ERROR_FILE = "reload-error.json"


@dataclass(frozen=True, slots=True)
class Breakage:
    """What is wrong with the code, for the terminal and for `/dev`."""

    message: str
    file: str
    line: int
    remedy: str

    def cause(self) -> str:
        """What is wrong, and where."""
        return f"{self.file}:{self.line}: {self.message}" if self.file else self.message

    def sentence(self) -> str:
        """The same with its remedy, for the terminal."""
        return f"{self.cause()}\n  remedy: {self.remedy}"


@dataclass(slots=True)
class Findings:
    """What is told about an app that stands; filled in while it is built."""

    #: Plugin to (state, cause, remedy).
    plugins: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    #: What a newcomer should know of the seeded data, such as the sample accounts.
    notices: list[str] = field(default_factory=list)

    def broken_plugins(self) -> list[str]:
        """Each plugin that should run and can't, with cause and remedy."""
        return [
            f"plugin {name} is {state}: {cause}\n  remedy: {remedy}"
            for name, (state, cause, remedy) in self.plugins.items()
            if state in BROKEN_STATES
        ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`breakage` is None when the app stands."""

    breakage: Breakage | None
    findings: Findings

    @classmethod
    def parse(cls, text: str) -> Verdict:
        """What `tell` wrote; an empty text means that the process died without a word."""
        if not text:
            return cls(Breakage("the app did not start", "", 0, "see the lines above"), Findings())
        content = json.loads(text)
        breakage = Breakage(**content["breakage"]) if content["breakage"] else None
        plugins = {name: tuple(told) for name, told in content["findings"]["plugins"].items()}
        return cls(breakage, Findings(plugins, content["findings"]["notices"]))


def breakage_of(error: BaseException, project: Path) -> Breakage:
    """The error with the last place in the project's own files that led to it."""
    if isinstance(error, SyntaxError) and error.filename:
        return Breakage(
            f"{type(error).__name__}: {error.msg}",
            error.filename,
            error.lineno or 0,
            "correct this line and save",
        )
    file, line = _place(error.__traceback__, project)
    if isinstance(error, SystemExit):
        return Breakage(f"the app refused to start (exit {error.code})", "", 0, "see the lines above")
    return Breakage(f"{type(error).__name__}: {error}", file, line, "correct this file and save")


@contextlib.contextmanager
def telling(project: Path) -> Iterator[Findings]:
    """Around building the app: tells `bin/dev`, if one listens, how it went and what was found."""
    findings = Findings()
    try:
        yield findings
    except BaseException as error:
        tell(Verdict(breakage_of(error, project), findings))
        raise
    tell(Verdict(None, findings))


def tell(verdict: Verdict) -> None:
    """Write the verdict to the pipe that `bin/dev` reads, once."""
    descriptor = os.environ.pop(PIPE_VARIABLE, None)
    if descriptor is None:
        return
    with contextlib.suppress(OSError), os.fdopen(int(descriptor), "w") as pipe:
        pipe.write(json.dumps(asdict(verdict)) + "\n")


def keep_error(data_dir: Path, breakage: Breakage) -> None:
    """Leave the reason why the last save was not taken where `/dev` finds it."""
    write_json(data_dir / _ERROR_FILE, {**asdict(breakage), "at": time.time()})


def forget_error(data_dir: Path) -> None:
    """The running code is the saved code again."""
    (data_dir / _ERROR_FILE).unlink(missing_ok=True)


def read_error(data_dir: Path) -> dict[str, object] | None:
    """Why the last save was not taken: message, file, line, remedy, at (Unix time); None when all is well."""
    return read_json(data_dir / _ERROR_FILE) or None


def _place(trace: TracebackType | None, project: Path) -> tuple[str, int]:
    """File and line of the innermost frame inside the project, third-party code left out."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if _is_in_project(Path(frame.filename), project)]
    chosen = (ours or list(frames))[-1:]
    return (chosen[0].filename, chosen[0].lineno or 0) if chosen else ("", 0)


def _is_in_project(file: Path, project: Path) -> bool:
    return file.is_relative_to(project) and ".venv" not in file.relative_to(project).parts
