"""Which stored row is which row of the course: the same when the UUIDs are equal, else when the slugs are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    LessonContent,
    LevelContent,
    LevelTranslation,
)

R = TypeVar("R", LevelContent, LessonContent, ConceptContent, ChallengeContent, LevelTranslation)
#: rows with a UUID and a slug
N = TypeVar("N", LevelContent, LessonContent, ConceptContent, ChallengeContent)
#: rows that a lesson unlocks
C = TypeVar("C", ConceptContent, ChallengeContent)


@dataclass(frozen=True, slots=True)
class Matching(Generic[R]):
    """Each wanted row with the stored one it is, if any, and the stored rows that nothing asks for."""

    pairs: tuple[tuple[R | None, R], ...]
    orphans: tuple[R, ...]


def match_rows(stored: Sequence[N], wanted: Sequence[N]) -> Matching[N]:
    """By UUID first, so that a renamed row is found and its old slug is free for another; then by slug."""
    by_uuid = {row.uuid: row for row in stored}
    wanted_uuids = {row.uuid for row in wanted}
    by_slug = {row.slug: row for row in stored if row.uuid not in wanted_uuids}
    pairs = tuple((by_uuid.get(row.uuid) or by_slug.get(row.slug), row) for row in wanted)
    found = {old.uuid for old, _ in pairs if old}
    return Matching(pairs, tuple(row for row in stored if row.uuid not in found))


def match_translations(
    stored: Iterable[LevelTranslation],
    wanted: Iterable[LevelTranslation],
    levels: Matching[LevelContent],
) -> Matching[LevelTranslation]:
    """By level, whatever its UUID was, and locale."""
    new_uuid = {old.uuid: new.uuid for old, new in levels.pairs if old}
    renamed = (replace(row, level_uuid=new_uuid.get(row.level_uuid, row.level_uuid)) for row in stored)
    left = {(row.level_uuid, row.locale): row for row in renamed}
    pairs = tuple((left.pop((row.level_uuid, row.locale), None), row) for row in wanted)
    return Matching(pairs, tuple(left.values()))


def with_renamed_lesson(row: C, lessons: Matching[LessonContent]) -> C:
    """The stored row, naming its unlocking lesson as the course now does: that is no change of the row."""
    for old, new in lessons.pairs:
        if old and old.slug == row.unlocked_by_lesson_slug:
            return replace(row, unlocked_by_lesson_slug=new.slug)
    return row
