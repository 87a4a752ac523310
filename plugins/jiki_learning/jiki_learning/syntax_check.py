"""Says at once where a learner's Python cannot be read: parsed, never run, in the process that holds the socket.

The grammar is this interpreter's; a runner, whose word comes later, has the last one.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: of all files together; more is left to the runner, for parsing takes time from everybody else on the process
MAX_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """`line` and `column` count from 1; 0 when the parser does not say."""

    file: str
    line: int
    column: int
    message: str


def syntax_faults(language: str, files: Mapping[str, str]) -> list[SyntaxFault] | None:
    """At most one fault per file, as the parser stops at the first; None when this is not checked here."""
    checked = [name for name in files if name.endswith(".py")]
    if language != "python" or sum(len(files[name]) for name in checked) > MAX_CHARACTERS:
        return None
    return [fault for name in checked if (fault := _python_fault(name, files[name])) is not None]


class SyntaxWatch:
    """Checks one learner's edits for at most a twentieth of the time: text made to parse slowly waits its turn."""

    SHARE = 20

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._rests_until = 0.0

    def faults(self, language: str, files: Mapping[str, str]) -> list[SyntaxFault] | None:
        """As `syntax_faults`; None also when it is too soon."""
        began = self._monotonic()
        if began < self._rests_until:
            return None
        found = syntax_faults(language, files)
        ended = self._monotonic()
        self._rests_until = ended + self.SHARE * (ended - began)
        return found


def _python_fault(name: str, text: str) -> SyntaxFault | None:
    try:
        compile(text, name, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        return SyntaxFault(name, error.lineno or 0, error.offset or 0, error.msg)
    except ValueError as error:  # a NUL character
        return SyntaxFault(name, 0, 0, str(error))
    except (RecursionError, MemoryError):
        return None  # nested beyond what the parser takes: not a verdict on the grammar
    return None
