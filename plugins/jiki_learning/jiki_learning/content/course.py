"""A course as a value: what both formats are read into, and what the stored catalogue is compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SLUG_MAX_LENGTH = 100
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_slug(text: str) -> bool:
    """a-z, 0-9 and single dashes between them, at most SLUG_MAX_LENGTH characters."""
    return len(text) <= SLUG_MAX_LENGTH and _SLUG.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was read: a file relative to the course folder, and a line counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class LessonType(StrEnum):
    """The types of contract.md 4.1."""

    EXERCISE = "exercise"
    VIDEO = "video"
    CHOOSE_LANGUAGE = "choose_language"
    QUIZ = "quiz"


class FileRole(StrEnum):
    """What a file of an exercise is for."""

    #: the learner's own file, as it is before the first edit
    STUB = "stub"
    TEST = "test"
    #: a model solution, never shown before completion
    EXEMPLAR = "exemplar"
    #: shown or used beside the learner's file, not edited
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class ExerciseFile:
    """`path` is relative to the exercise's folder."""

    path: str
    role: FileRole
    content: str


@dataclass(frozen=True, slots=True)
class ExerciseContent:
    """What a learner works on. Texts are Markdown, empty when there is none; concepts are named by slug."""

    title: str
    instructions: str
    files: tuple[ExerciseFile, ...]
    blurb: str = ""
    introduction: str = ""
    hints: str = ""
    concepts: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    practices: tuple[str, ...] = ()
    #: as the author rates it, 1 to 10; None when unrated
    difficulty: int | None = None
    #: whether a test run on the server, where there is a runner, says what has passed, whatever the client says
    tests_decide: bool = False


@dataclass(frozen=True, slots=True)
class LessonContent:
    """`data` and `walkthrough_video_data` are JSON values by the rules of `lesson_data`. `exercise` is
    None for other types, and where the client itself holds the texts."""

    uuid: str
    slug: str
    type: LessonType
    is_optional: bool = False
    data: dict[str, Any] = field(default_factory=dict)
    walkthrough_video_data: list[dict[str, Any]] | None = None
    exercise: ExerciseContent | None = None
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LevelContent:
    """A level with its lessons in order."""

    uuid: str
    slug: str
    lessons: tuple[LessonContent, ...]
    milestone_email_subject: str = ""
    milestone_email_content_markdown: str = ""
    milestone_email_image_url: str = ""
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LevelTranslation:
    level_uuid: str
    locale: str
    milestone_email_subject: str
    milestone_email_content_markdown: str
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ConceptContent:
    """A concept nobody unlocks (`unlocked_by_lesson_slug` None) stays locked to all."""

    uuid: str
    slug: str
    unlocked_by_lesson_slug: str | None = None
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ChallengeContent:
    """A challenge no lesson unlocks is open to all (contract.md 3.7)."""

    uuid: str
    slug: str
    exercise_slug: str
    unlocked_by_lesson_slug: str | None = None
    exercise: ExerciseContent | None = None
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ContentWarning:
    """Something odd that does not stop an import: cause, then what was done about it."""

    origin: Origin
    cause: str
    consequence: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.cause}; {self.consequence}"


@dataclass(frozen=True, slots=True)
class CourseContent:
    """A whole course, levels in order."""

    slug: str
    levels: tuple[LevelContent, ...] = ()
    translations: tuple[LevelTranslation, ...] = ()
    concepts: tuple[ConceptContent, ...] = ()
    challenges: tuple[ChallengeContent, ...] = ()
    warnings: tuple[ContentWarning, ...] = field(default=(), compare=False)

    @property
    def lessons(self) -> tuple[LessonContent, ...]:
        return tuple(lesson for level in self.levels for lesson in level.lessons)
