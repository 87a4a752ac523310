"""An Exercism language track, read into a CourseContent.

`config.json` names the exercises and what they need and teach; `exercises/{concept,practice}/<slug>/`
holds each: `.docs/` the texts, `.meta/config.json` the names of its files. `exercism_order` makes levels
of them. Exercises keep their slugs and UUIDs as lessons; a level is named for the exercise it is about
and gets a UUID derived from its name. Where another course has one of these names, the import is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from jiki_learning.content.course import (
    ConceptContent,
    CourseContent,
    ExerciseContent,
    ExerciseFile,
    FileRole,
    LessonContent,
    LessonType,
    LevelContent,
    Origin,
)
from jiki_learning.content.exercism_order import (
    FIRST_EXERCISE,
    PrerequisiteCycle,
    TrackExercise,
    TrackLevel,
    order_track,
    teachers,
)
from jiki_learning.content.mistakes import Findings
from jiki_learning.content.reading import CourseFolder, Record

CONFIG = "config.json"

#: the namespace of UUIDs that a track does not give itself
_NAMESPACE = UUID("6a0c1f0e-52c6-5d0f-9a55-3f6c2f1d7b84")
_STATUSES = ("wip", "beta", "active", "deprecated")
_OPTIONAL_STATUSES = ("wip", "deprecated")
_ROLES = {"solution": FileRole.STUB, "test": FileRole.TEST, "editor": FileRole.SUPPORT}
#: the two kinds of exercise name their model solution differently
_MODEL_SOLUTION = {"concept": "exemplar", "practice": "example"}


def read_exercism_course(path: Path, course_slug: str | None = None) -> CourseContent:
    """Read the track in the folder `path`; the course is called `exercism-<track>` unless a slug is given.

    `hello-world` and the concept exercises are compulsory, practice exercises and what is deprecated or
    in the works optional. Raises ContentRefused with all mistakes.
    """
    findings = Findings()
    start = Origin(CONFIG, 1)
    config = CourseFolder(path, findings).record(CONFIG, start)
    if config is None:
        return findings.conclude(CourseContent(course_slug or "exercism"), start)
    slug = course_slug or f"exercism-{config.slug('slug')}"
    reader = _TrackReader(CourseFolder(path, findings), config, findings)
    concepts = reader.concepts()
    levels = tuple(reader.level(slug, level) for level in reader.track_levels())
    return findings.conclude(CourseContent(slug, levels, concepts=concepts), start)


@dataclass(frozen=True, slots=True)
class _Listing:
    """An exercise as `config.json` lists it."""

    record: Record
    kind: str
    order: TrackExercise
    origin: Origin

    @property
    def folder(self) -> str:
        return f"exercises/{self.kind}/{self.order.slug}"

    @property
    def is_optional(self) -> bool:
        is_on_the_way = self.order.is_concept_exercise or self.order.slug == FIRST_EXERCISE
        return not is_on_the_way or self.record.value.get("status") in _OPTIONAL_STATUSES


class _TrackReader:
    def __init__(self, folder: CourseFolder, config: Record, findings: Findings) -> None:
        self.folder = folder
        self.findings = findings
        self.config = config
        groups = config.record("exercises")
        self.listings = [self.listing(kind, one) for kind in ("concept", "practice") for one in groups.records(kind)]
        self.by_slug = {one.order.slug: one for one in self.listings}
        self.teacher = teachers([one.order for one in self.listings])
        #: a track says so itself: its solutions are judged by a test runner
        self.tests_decide = config.record("status", is_required=False).is_true("test_runner")

    def listing(self, kind: str, record: Record) -> _Listing:
        slug, origin = record.slug("slug"), record.origin("slug")
        self.findings.claim(origin, "exercise", "slug", slug)
        status = record.value.get("status", "active")
        if status not in _STATUSES:
            remedy = f"use one of {', '.join(_STATUSES)}, or leave the key out"
            self.findings.mistake(record.origin("status"), f"unknown status {status!r}", remedy)
        is_concept_exercise = kind == "concept"
        teaches = record.texts("concepts") if is_concept_exercise else ()
        order = TrackExercise(slug, is_concept_exercise, teaches, record.texts("prerequisites"))
        return _Listing(record, kind, order, origin)

    def concepts(self) -> tuple[ConceptContent, ...]:
        found: list[ConceptContent] = []
        for record in self.config.records("concepts"):
            uuid, slug = record.uuid("uuid"), record.slug("slug")
            self.findings.claim(record.origin("uuid"), "concept", "uuid", uuid)
            self.findings.claim(record.origin("slug"), "concept", "slug", slug)
            found.append(ConceptContent(uuid, slug, self.teacher.get(slug), record.origin("slug")))
        declared = {concept.slug for concept in found}
        for listing in self.listings:
            for concept in listing.order.teaches:
                if concept not in declared:
                    place = listing.record.line_of_text("concepts", concept)
                    remedy = "list it under concepts, or teach another"
                    cause = f"{listing.order.slug} teaches {concept}, which is no concept of the track"
                    self.findings.mistake(place, cause, remedy)
        return tuple(found)

    def track_levels(self) -> tuple[TrackLevel, ...]:
        for listing in self.listings:
            for concept in listing.order.prerequisites:
                if concept not in self.teacher:
                    place = listing.record.line_of_text("prerequisites", concept)
                    cause = f"{listing.order.slug} needs {concept}, which no concept exercise teaches"
                    self.findings.warn(place, cause, "the exercise comes last")
        try:
            return order_track([listing.order for listing in self.by_slug.values()])
        except PrerequisiteCycle as cycle:
            self.report_cycle(cycle)
            return ()

    def report_cycle(self, cycle: PrerequisiteCycle) -> None:
        for slug, needed in zip(cycle.slugs, (cycle.slugs[-1], *cycle.slugs), strict=False):
            listing = self.by_slug[slug]
            concept = next(one for one in listing.order.prerequisites if self.teacher.get(one) == needed)
            place = listing.record.line_of_text("prerequisites", concept)
            cause = f"{slug} needs {concept}, which {needed} teaches: a cycle of prerequisites"
            self.findings.mistake(place, cause, f"remove one prerequisite of {', '.join(cycle.slugs)}")

    def level(self, course_slug: str, level: TrackLevel) -> LevelContent:
        return LevelContent(
            uuid=str(uuid5(_NAMESPACE, f"{course_slug}/levels/{level.slug}")),
            slug=level.slug,
            lessons=tuple(self.lesson(self.by_slug[slug]) for slug in level.exercises),
            origin=self.by_slug[level.slug].origin,
        )

    def lesson(self, listing: _Listing) -> LessonContent:
        uuid = listing.record.uuid("uuid")
        self.findings.claim(listing.record.origin("uuid"), "exercise", "uuid", uuid)
        return LessonContent(
            uuid=uuid,
            slug=listing.order.slug,
            type=LessonType.EXERCISE,
            is_optional=listing.is_optional,
            exercise=self.exercise(listing),
            origin=listing.origin,
        )

    def exercise(self, listing: _Listing) -> ExerciseContent | None:
        config_path = f"{listing.folder}/.meta/{CONFIG}"
        config = self.folder.record(config_path, listing.origin)
        if config is None:
            return None
        is_concept_exercise = listing.order.is_concept_exercise
        return ExerciseContent(
            title=listing.record.text("name"),
            blurb=config.text("blurb", default=""),
            instructions=self.document(listing, "instructions", is_required=True),
            introduction=self.document(listing, "introduction", is_required=is_concept_exercise),
            hints=self.document(listing, "hints"),
            files=tuple(self.files(listing, config)),
            concepts=listing.order.teaches,
            prerequisites=listing.order.prerequisites,
            practices=listing.record.texts("practices", is_required=False),
            difficulty=listing.record.number("difficulty"),
            tests_decide=self.tests_decide,
        )

    def document(self, listing: _Listing, name: str, *, is_required: bool = False) -> str:
        """A text of `.docs`, with the track's own addition to the shared one behind it."""
        path = f"{listing.folder}/.docs/{name}.md"
        text = self.folder.text(path, listing.origin) if is_required else self.folder.optional_text(path)
        addition = self.folder.optional_text(f"{listing.folder}/.docs/{name}.append.md")
        return "\n".join(part for part in (text, addition) if part)

    def files(self, listing: _Listing, config: Record) -> Iterator[ExerciseFile]:
        named = config.record("files")
        patterns = self.config.record("files", is_required=False)
        for key, role in (*_ROLES.items(), (_MODEL_SOLUTION[listing.kind], FileRole.EXEMPLAR)):
            source = named if key in named.value else patterns
            for name in source.texts(key, is_required=False):
                path = name if source is named else _expanded(name, listing.order.slug)
                wanted_by = named.line_of_text(key, name) if source is named else listing.origin
                content = self.folder.text(f"{listing.folder}/{path}", wanted_by)
                yield ExerciseFile(path, role, content or "")


def _expanded(pattern: str, slug: str) -> str:
    """A file pattern of the track, such as `%{snake_slug}.py`, for one exercise."""
    words = slug.split("-")
    pascal = "".join(word.capitalize() for word in words)
    forms = {
        "kebab": slug,
        "snake": "_".join(words),
        "pascal": pascal,
        "camel": pascal[:1].lower() + pascal[1:],
    }
    for form, value in forms.items():
        pattern = pattern.replace(f"%{{{form}_slug}}", value)
    return pattern
