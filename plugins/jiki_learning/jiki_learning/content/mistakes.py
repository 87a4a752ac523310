"""Mistakes of a course's authors, collected while reading and raised together, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jiki_learning.content.course import ContentWarning, CourseContent, Origin, is_slug


@dataclass(frozen=True, slots=True, order=True)
class ContentMistake:
    """One mistake: `file` is relative to the course folder, `line` counts from 1."""

    file: str
    line: int
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.cause}; {self.remedy}"


class ContentRefused(Exception):
    """A course that cannot be imported, with all its mistakes in the order of files and lines."""

    def __init__(self, course: str, mistakes: Sequence[ContentMistake]) -> None:
        self.course = course
        self.mistakes = tuple(sorted(set(mistakes)))
        count = len(self.mistakes)
        heading = f"{course}: {count} mistake{'' if count == 1 else 's'}, nothing was imported"
        super().__init__("\n".join([heading, *(f"  {mistake}" for mistake in self.mistakes)]))


class Findings:
    """What a reader has found wrong (mistakes) or odd (warnings) so far."""

    def __init__(self) -> None:
        self.mistakes: list[ContentMistake] = []
        self.warnings: list[ContentWarning] = []
        self._claims: dict[tuple[str, str, str], Origin] = {}

    def mistake(self, origin: Origin, cause: str, remedy: str) -> None:
        self.mistakes.append(ContentMistake(origin.file, origin.line, cause, remedy))

    def warn(self, origin: Origin, cause: str, consequence: str) -> None:
        self.warnings.append(ContentWarning(origin, cause, consequence))

    def claim(self, origin: Origin, kind: str, key: str, value: str) -> None:
        """Note that a value which must be unique among a kind is used at `origin`. A second use is a
        mistake."""
        if value and (first := self._claims.setdefault((kind, key, value), origin)) != origin:
            cause = f"the {kind} {key} {value} is used already, at {first}"
            self.mistake(origin, cause, f"give each {kind} a {key} of its own")

    def refuse_if_any(self, course: str) -> None:
        """Raises ContentRefused when there were mistakes."""
        if self.mistakes:
            raise ContentRefused(course, self.mistakes)

    def conclude(self, course: CourseContent, start: Origin) -> CourseContent:
        """The course with its warnings, when nothing was wrong. `start` stands for the course as a whole.

        Raises ContentRefused.
        """
        if not is_slug(course.slug):
            remedy = "give the course a slug of a-z, 0-9 and dashes, by --course-slug or the folder's name"
            self.mistake(start, f"{course.slug!r} is no slug for a course", remedy)
        if not course.lessons and not self.mistakes:
            self.mistake(start, "the course has no lessons", "add a level with a lesson")
        self.refuse_if_any(course.slug)
        return replace(course, warnings=tuple(self.warnings))
