"""The catalogue as a frozen value: courses, levels and lessons with what each lesson unlocks, and its ready-made JSON.

One value serves all requests of a process until the stored content has another version (`queries/catalogue.py`).
What learners are told of content is serialised here, once per version (performance.md 1 and 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from jiki_learning.content.course import LessonType
from jiki_learning.progression import LevelFact

NO_EVENTS = b',"meta":{"events":[]}}'


@dataclass(frozen=True, slots=True)
class CatalogueConcept:
    id: int
    slug: str
    #: what completing opens it; None = nobody can open it
    lesson_slug: str | None


@dataclass(frozen=True, slots=True)
class CatalogueChallenge:
    id: int
    slug: str
    exercise_slug: str
    #: what completing opens it; None = open to all
    lesson_slug: str | None


@dataclass(frozen=True)
class CatalogueLesson:
    """A lesson and where it stands. `data` and `walkthrough_video_data` are as stored."""

    id: int
    slug: str
    type: LessonType
    course_slug: str
    level_slug: str
    is_optional: bool
    data: Mapping[str, Any]
    walkthrough_video_data: Sequence[Mapping[str, Any]] | None
    concepts: tuple[CatalogueConcept, ...] = ()
    challenge: CatalogueChallenge | None = None
    _bodies: dict[str | None, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def listed(self) -> dict[str, Any]:
        """The lesson as a member of `Level` (contract.md 2.2); `optional` is there when it is true."""
        listed: dict[str, Any] = {
            "slug": self.slug,
            "type": self.type.value,
            "walkthrough_video_data": self.walkthrough_video_data,
        }
        return {**listed, "optional": True} if self.is_optional else listed

    def body(self, language: str | None) -> bytes:
        """The whole answer of `GET internal/lessons/:slug` for a learner of that language, None before the choice."""
        kept = self._bodies.get(language)
        if kept is None:
            lesson = {**self.listed(), "data": self.data_for(language)}
            kept = self._bodies[language] = b'{"lesson":' + orjson.dumps(lesson) + NO_EVENTS
        return kept

    def data_for(self, language: str | None) -> dict[str, Any]:
        """`data` with the sources of the chosen language and those of none (contract.md 3.7)."""
        data = dict(self.data)
        if language is not None and isinstance(data.get("sources"), list):
            data["sources"] = [one for one in data["sources"] if one.get("language") in (None, language)]
        return data


@dataclass(frozen=True)
class CatalogueCourse:
    """A course with its levels in order, as `progression` takes them."""

    id: int
    slug: str
    levels: tuple[LevelFact, ...]
    lessons: Mapping[int, CatalogueLesson]

    @cached_property
    def levels_body(self) -> bytes:
        """The whole answer of `GET internal/levels` for this course."""
        levels = [
            {"slug": level.slug, "lessons": [self.lessons[lesson.id].listed() for lesson in level.lessons]}
            for level in self.levels
        ]
        return b'{"levels":' + orjson.dumps(levels) + NO_EVENTS

    @cached_property
    def levels_tag(self) -> str:
        """Names the content of `levels_body`, the same in every process."""
        return hashlib.sha256(self.levels_body).hexdigest()[:32]

    @cached_property
    def level_heads(self) -> Mapping[int, bytes]:
        """Level id -> the beginning of its row in `user_levels`, up to the status."""
        return {level.id: b'{"level_slug":' + orjson.dumps(level.slug) + b',"status":"' for level in self.levels}

    @cached_property
    def lesson_heads(self) -> Mapping[int, bytes]:
        """Lesson id -> the beginning of its row in `user_levels`, up to the status."""
        return {
            lesson.id: b'{"lesson_slug":' + orjson.dumps(lesson.slug) + b',"status":"'
            for level in self.levels
            for lesson in level.lessons
        }


@dataclass(frozen=True)
class Catalogue:
    """All content at one version; courses in order of position."""

    version: int
    courses: Mapping[str, CatalogueCourse]
    concepts: Mapping[str, CatalogueConcept]
    #: former slug -> present slug
    former_concept_slugs: Mapping[str, str]
    challenges: Mapping[str, CatalogueChallenge]

    @cached_property
    def lessons(self) -> Mapping[str, CatalogueLesson]:
        return {lesson.slug: lesson for course in self.courses.values() for lesson in course.lessons.values()}

    @cached_property
    def courses_by_id(self) -> Mapping[int, CatalogueCourse]:
        return {course.id: course for course in self.courses.values()}

    def course_of(self, lesson: CatalogueLesson) -> CatalogueCourse:
        return self.courses[lesson.course_slug]
