"""What is to be run: a solution and its tests, as text; and how a course's folder is read."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MAXIMUM_FILES = 50
MAXIMUM_FILE_BYTES = 1024 * 1024
_FILE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


class Language(StrEnum):
    """The languages there is an engine for. Stored and sent: values are never renamed."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"


class InvalidExercise(ValueError):
    """The files given cannot be a run; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """A solution and the tests it has to pass. Each mapping is file name → text; there are no folders.

    `support` is what both the solution and the tests may read: data files, modules with given values.
    Raises InvalidExercise.
    """

    language: Language
    solution: Mapping[str, str]
    tests: Mapping[str, str]
    support: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [*self.solution, *self.tests, *self.support]
        if len(names) > MAXIMUM_FILES:
            raise InvalidExercise(f"{len(names)} files are more than the {MAXIMUM_FILES} a run can have")
        for name in names:
            if not _FILE_NAME.fullmatch(name):
                raise InvalidExercise(f"{name!r} is not a file name a run can have: letters, digits, '.', '_' and '-'")
            if names.count(name) > 1:
                raise InvalidExercise(f"{name} is given twice; the solution, the tests and the support files are apart")
        for name, text in [*self.solution.items(), *self.tests.items(), *self.support.items()]:
            if len(text.encode("utf-8", "surrogatepass")) > MAXIMUM_FILE_BYTES:
                raise InvalidExercise(f"{name} is larger than {MAXIMUM_FILE_BYTES} bytes")
            try:
                text.encode()
            except UnicodeEncodeError:
                raise InvalidExercise(f"{name} is not text: it holds half a character") from None
        if not self.test_files:
            raise InvalidExercise("there is no test file among the tests")
        for module in self.modules if self.language is Language.PYTHON else ():
            if module in sys.stdlib_module_names:
                raise InvalidExercise(f"{module}.py would hide the standard library's module of that name")

    @property
    def modules(self) -> tuple[str, ...]:
        """The Python modules of the solution, by name."""
        return tuple(name.removesuffix(".py") for name in self.solution if name.endswith(".py"))

    @property
    def test_files(self) -> tuple[str, ...]:
        """Those of `tests` that hold tests, in the order given; the others are modules that these import."""
        if self.language is Language.JAVASCRIPT:
            return tuple(name for name in self.tests if re.search(r"[.-](spec|test)\.m?js$", name))
        return tuple(name for name in self.tests if re.fullmatch(r"test_.*\.py|.*_test\.py", name))


@dataclass(frozen=True, slots=True)
class CourseExercise:
    """An exercise of a course in exercism's layout: the stub a learner starts from and a solution that
    passes.
    """

    slug: str
    stub: Exercise
    reference: Exercise


def read_course_exercise(folder: Path, language: Language) -> CourseExercise:
    """Read `folder` by its `.meta/config.json`: `files.solution`, `.test`, `.editor`, and `.example` or
    `.exemplar`.

    Raises InvalidExercise if the folder does not hold what its configuration names.
    """
    try:
        files = json.loads((folder / ".meta/config.json").read_text("utf-8"))["files"]
        stub = {name: (folder / name).read_text("utf-8") for name in files["solution"]}
        tests = {name: (folder / name).read_text("utf-8") for name in files["test"]}
        support = {name: (folder / name).read_text("utf-8") for name in files.get("editor", [])}
        answers = [(folder / name).read_text("utf-8") for name in files.get("example") or files["exemplar"]]
    except (OSError, KeyError, ValueError) as error:
        raise InvalidExercise(f"{folder.name}: {type(error).__name__}: {error}") from error
    reference = dict(zip(stub, answers, strict=False))
    return CourseExercise(
        slug=folder.name,
        stub=Exercise(language, stub, tests, support),
        reference=Exercise(language, reference, tests, support),
    )
