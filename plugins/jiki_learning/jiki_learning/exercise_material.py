"""What of an exercise's files can be run: the stub, the tests and what belongs to them, by role; and in which language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from jiki_learning.content.course import ExerciseFile, FileRole
from jiki_learning.contracts import ExerciseMaterial

#: ending of a learner's file → language, as runners name it
LANGUAGES = {
    "py": "python",
    "js": "javascript",
    "mjs": "javascript",
    "ts": "typescript",
    "rb": "ruby",
    "go": "go",
    "rs": "rust",
    "java": "java",
}


def language_of(names: Iterable[str]) -> str:
    """The language of the first name whose ending tells one; empty when none does."""
    return next((LANGUAGES[ending] for name in names if (ending := name.rpartition(".")[2]) in LANGUAGES), "")


def material_of(slug: str, files: Iterable[ExerciseFile]) -> ExerciseMaterial:
    """Names lose their folders: a run has none. Model solutions take the names of the stubs, in their order."""
    by_role: dict[FileRole, list[ExerciseFile]] = {role: [] for role in FileRole}
    for file in files:
        by_role[file.role].append(file)
    stub = _texts(by_role[FileRole.STUB])
    answers = [file.content for file in by_role[FileRole.EXEMPLAR]]
    return ExerciseMaterial(
        slug=slug,
        language=language_of(stub),
        stub=stub,
        reference={**stub, **dict(zip(stub, answers, strict=False))} if answers else {},
        tests=_texts(by_role[FileRole.TEST]),
        support=_texts(by_role[FileRole.SUPPORT]),
    )


def solution_of(material: ExerciseMaterial, submitted: Mapping[str, str]) -> dict[str, str]:
    """The learner's files that go into a run: the tests and what belongs to them are the course's, not the learner's."""
    return {
        name: text for name, text in submitted.items() if name not in material.tests and name not in material.support
    }


def _texts(files: Iterable[ExerciseFile]) -> dict[str, str]:
    return {PurePosixPath(file.path).name: file.content for file in files}
