"""The difference between the stored catalogue and a course that was read: what an import creates, updates
and moves, and what it leaves behind as orphans. Rows are never deleted (contract.md 4.4).

A stored row is the one in the file when their UUIDs are equal, else when their slugs are. Slugs and UUIDs
are unique across all courses; one that another course uses refuses the import, since only the course's
author can choose another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    CourseContent,
    ExerciseContent,
    LessonContent,
    LevelContent,
    LevelTranslation,
    Origin,
)
from jiki_learning.content.mistakes import Findings
from jiki_learning.content.row_matching import (
    Matching,
    N,
    match_rows,
    match_translations,
    with_renamed_lesson,
)
from jiki_learning.content.row_order import row_moves

Row = LevelContent | LessonContent | LevelTranslation | ConceptContent | ChallengeContent


class Kind(StrEnum):
    """The kinds of rows, in the order in which they are written."""

    LEVEL = "level"
    LESSON = "lesson"
    TRANSLATION = "translation"
    CONCEPT = "concept"
    CHALLENGE = "challenge"


@dataclass(frozen=True, slots=True)
class CatalogueSnapshot:
    """What is stored. `course`: this course as it stands, orphans included, None before its first import.
    `taken`: (kind, UUID or slug) → the course whose row has it, for the rows of all other courses."""

    course: CourseContent | None
    taken: Mapping[tuple[Kind, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """`position` counts from 1 within the level, or within the course where `level` is empty."""

    level: str
    position: int


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field; parts of an exercise are named `exercise.instructions`, `exercise.files.solution.js`.
    None: absent."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Created:
    kind: Kind
    name: str
    row: Row


@dataclass(frozen=True, slots=True)
class Updated:
    """`stored` is the row as it is (find it by its UUID), `row` as it will be."""

    kind: Kind
    name: str
    stored: Row
    row: Row
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A level within the course, or a lesson within its level or to another."""

    kind: Kind
    name: str
    before: Place
    after: Place


@dataclass(frozen=True, slots=True)
class Orphan:
    """A stored row that the course does not name any more. It is kept, behind the others of its level."""

    kind: Kind
    name: str
    stored: Row


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What importing `course` does, each tuple in the order of writing."""

    course: CourseContent
    is_new_course: bool
    created: tuple[Created, ...]
    updated: tuple[Updated, ...]
    moved: tuple[Moved, ...]
    orphans: tuple[Orphan, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing to write. Orphans alone are nothing to write."""
        return not (self.is_new_course or self.created or self.updated or self.moved)


def plan_import(snapshot: CatalogueSnapshot, wanted: CourseContent) -> ImportPlan:
    """Compare, without writing. Raises ContentRefused for slugs and UUIDs that are not free."""
    stored = snapshot.course or CourseContent(wanted.slug)
    levels = match_rows(stored.levels, wanted.levels)
    lessons = match_rows(stored.lessons, wanted.lessons)
    concepts = match_rows([with_renamed_lesson(one, lessons) for one in stored.concepts], wanted.concepts)
    challenges = match_rows([with_renamed_lesson(one, lessons) for one in stored.challenges], wanted.challenges)
    translations = match_translations(stored.translations, wanted.translations, levels)
    findings = Findings()
    _find_clashes(findings, snapshot, Kind.LEVEL, levels)
    _find_clashes(findings, snapshot, Kind.LESSON, lessons)
    _find_clashes(findings, snapshot, Kind.CONCEPT, concepts)
    _find_clashes(findings, snapshot, Kind.CHALLENGE, challenges)
    findings.refuse_if_any(wanted.slug)
    created: list[Created] = []
    updated: list[Updated] = []
    orphans: list[Orphan] = []
    level_slugs = {level.uuid: level.slug for level in (*wanted.levels, *levels.orphans)}

    def name(row: Row) -> str:
        if isinstance(row, LevelTranslation):
            return f"{level_slugs.get(row.level_uuid, row.level_uuid)} {row.locale}"
        return row.slug

    def compare(kind: Kind, matching: Matching[Any]) -> None:
        for old, new in matching.pairs:
            if old is None:
                created.append(Created(kind, name(new), new))
            elif changes := tuple(_changes(old, new)):
                updated.append(Updated(kind, name(new), old, new, changes))
        orphans.extend(Orphan(kind, name(row), row) for row in matching.orphans)

    compare(Kind.LEVEL, levels)
    compare(Kind.LESSON, lessons)
    compare(Kind.TRANSLATION, translations)
    compare(Kind.CONCEPT, concepts)
    compare(Kind.CHALLENGE, challenges)
    return ImportPlan(
        course=wanted,
        is_new_course=snapshot.course is None,
        created=tuple(created),
        updated=tuple(updated),
        moved=(*_moved_levels(stored, levels), *_moved_lessons(levels, lessons)),
        orphans=tuple(orphans),
    )


def _find_clashes(findings: Findings, snapshot: CatalogueSnapshot, kind: Kind, matching: Matching[N]) -> None:
    abandoned = {row.slug for row in matching.orphans}
    for _, row in matching.pairs:
        origin = row.origin or Origin(row.slug, 1)
        for key, value in (("uuid", row.uuid), ("slug", row.slug)):
            if owner := snapshot.taken.get((kind, value)):
                cause = f"the {kind} {key} {value} belongs to the course {owner}"
                findings.mistake(origin, cause, f"give this {kind} another {key}")
        if row.slug in abandoned:
            cause = f"the {kind} slug {row.slug} belongs to a stored {kind} with another uuid"
            findings.mistake(origin, cause, "use another slug, or that uuid")


def _changes(old: Row, new: Row) -> Iterator[FieldChange]:
    before, after = dict(_flat(old)), dict(_flat(new))
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield FieldChange(name, before.get(name), after.get(name))


def _flat(row: Row | ExerciseContent, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The comparable fields of a row, those of its exercise and each file of that included."""
    for one in fields(row):
        value = getattr(row, one.name)
        if isinstance(value, ExerciseContent):
            yield from _flat(value, f"{one.name}.")
        elif isinstance(row, ExerciseContent) and one.name == "files":
            for file in row.files:
                yield f"{prefix}files.{file.path}", file.content
                yield f"{prefix}files.{file.path} (role)", file.role
        elif one.compare and one.name != "lessons":
            yield prefix + one.name, value


def _moved_levels(stored: CourseContent, levels: Matching[LevelContent]) -> Iterator[Moved]:
    after = [*((old or new).uuid for old, new in levels.pairs), *(orphan.uuid for orphan in levels.orphans)]
    names = {(old or new).uuid: new.slug for old, new in levels.pairs}
    names |= {orphan.uuid: orphan.slug for orphan in levels.orphans}
    for move in row_moves([[level.uuid for level in stored.levels]], [after]):
        before, now = Place("", move.from_position), Place("", move.to_position)
        yield Moved(Kind.LEVEL, names[move.key], before, now)


def _moved_lessons(levels: Matching[LevelContent], lessons: Matching[LessonContent]) -> Iterator[Moved]:
    keys = {new.uuid: (old or new).uuid for old, new in lessons.pairs}
    names = {keys[new.uuid]: new.slug for _, new in lessons.pairs}
    names |= {orphan.uuid: orphan.slug for orphan in lessons.orphans}
    orphaned = {orphan.uuid for orphan in lessons.orphans}
    before: list[list[str]] = []
    after: list[list[str]] = []
    for old, new in (*levels.pairs, *((orphan, None) for orphan in levels.orphans)):
        before.append([lesson.uuid for lesson in old.lessons] if old else [])
        wanted = [keys[lesson.uuid] for lesson in new.lessons] if new else []
        after.append([*wanted, *(uuid for uuid in before[-1] if uuid in orphaned)])
    old_slugs = [old.slug if old else "" for old, _ in levels.pairs] + [one.slug for one in levels.orphans]
    new_slugs = [new.slug for _, new in levels.pairs] + [one.slug for one in levels.orphans]
    for move in row_moves(before, after):
        was = Place(old_slugs[move.from_list], move.from_position)
        now = Place(new_slugs[move.to_list], move.to_position)
        yield Moved(Kind.LESSON, names[move.key], was, now)
