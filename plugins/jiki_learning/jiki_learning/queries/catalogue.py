"""Loads the catalogue and keeps it per process; a process notices another version within a second.

Who changes content calls `content_changed(uow)`: the version grows in the same transaction, this process asks again right
after the commit, others at their next look. Whoever looks for a slug that is not in the kept catalogue looks again first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from flask import current_app
from sqlalchemy import BigInteger, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from jiki_core.db import UnitOfWork, reading
from jiki_learning.catalogue import (
    Catalogue,
    CatalogueChallenge,
    CatalogueConcept,
    CatalogueCourse,
    CatalogueLesson,
)
from jiki_learning.content.course import LessonType
from jiki_learning.errors import ChallengeNotFound, ConceptNotFound, CourseNotFound, LessonNotFound
from jiki_learning.models import (
    CatalogueVersion,
    Challenge,
    Concept,
    Course,
    FormerConceptSlug,
    Lesson,
    Level,
    UnlockEdge,
)
from jiki_learning.progression import LessonFact, LevelFact

Found = TypeVar("Found")

STALE_AFTER_SECONDS = 1.0
_CHANGED = "jiki_learning.content_changed"

#: for other statements to read along
stored_version = select(CatalogueVersion.version).scalar_subquery()


class CatalogueCache:
    """The catalogue of one app, and when its version was last compared."""

    def __init__(self) -> None:
        self._kept: Catalogue | None = None
        self._compared_at = 0.0

    def get(self) -> Catalogue:
        """At most a second old."""
        kept = self._kept
        if kept is not None and time.monotonic() - self._compared_at < STALE_AFTER_SECONDS:
            return kept
        return self.compared(reading().execute(select(stored_version)).scalar_one())

    def compared(self, version: int | None) -> Catalogue:
        """The catalogue of a version that was just read (None: no content yet), loaded unless it is the kept one."""
        kept = self._kept
        if kept is None or kept.version != (version or 0):
            kept = load_catalogue(reading())
            if reading().info.get(_CHANGED):
                return kept  # seen by the unit that is changing it only; it may yet roll back
        self._kept, self._compared_at = kept, time.monotonic()
        return kept

    def forget(self) -> None:
        """The next look compares versions."""
        self._compared_at = 0.0


def catalogue_cache() -> CatalogueCache:
    """One per app."""
    cache: CatalogueCache = current_app.extensions.setdefault("jiki_learning.catalogue", CatalogueCache())
    return cache


def current_catalogue() -> Catalogue:
    return catalogue_cache().get()


def find_course(slug: str) -> CatalogueCourse:
    """Raises CourseNotFound."""
    return _found(lambda catalogue: catalogue.courses.get(slug), CourseNotFound)


def find_lesson(slug: str) -> CatalogueLesson:
    """Raises LessonNotFound."""
    return _found(lambda catalogue: catalogue.lessons.get(slug), LessonNotFound)


def find_concept(slug: str) -> CatalogueConcept:
    """By its slug or a former one. Raises ConceptNotFound."""
    return _found(
        lambda catalogue: catalogue.concepts.get(catalogue.former_concept_slugs.get(slug, slug)), ConceptNotFound
    )


def find_challenge(slug: str) -> CatalogueChallenge:
    """Raises ChallengeNotFound."""
    return _found(lambda catalogue: catalogue.challenges.get(slug), ChallengeNotFound)


def _found(look: Callable[[Catalogue], Found | None], missing: type[Exception]) -> Found:
    found = look(current_catalogue())
    if found is None:
        catalogue_cache().forget()
        found = look(current_catalogue())
    if found is None:
        raise missing()
    return found


def content_changed(uow: UnitOfWork) -> None:
    """To be called by every command that changes content. The version is a time in microseconds, or one more than before,
    so that it is new even after a database was emptied or a transaction rolled back."""
    uow.session.info[_CHANGED] = True
    microseconds = sql_cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
    uow.session.execute(
        insert(CatalogueVersion)
        .values(id=1, version=microseconds)
        .on_conflict_do_update(
            index_elements=[CatalogueVersion.id],
            set_={"version": func.greatest(CatalogueVersion.version + 1, microseconds)},
        )
    )
    cache = catalogue_cache()
    uow.after_commit(cache.forget)


def load_catalogue(session: Session) -> Catalogue:
    """Seven statements, whatever the size; the version first, so that a change while they run is noticed at the next look."""
    version = session.execute(select(stored_version)).scalar_one()
    concepts, challenges, opened_by = _unlockables(session)
    lessons_of_level: dict[int, list[CatalogueLesson]] = {}
    rows = session.execute(
        select(
            Lesson.id,
            Lesson.slug,
            Lesson.type,
            Lesson.level_id,
            Lesson.is_optional,
            Lesson.data,
            Lesson.walkthrough_video_data,
            Level.slug.label("level_slug"),
            Course.slug.label("course_slug"),
        )
        .join(Level, Level.id == Lesson.level_id)
        .join(Course, Course.id == Level.course_id)
        .order_by(Lesson.level_id, Lesson.position)
    )
    for row in rows:
        opened = opened_by.get(row.id, [])
        lesson = CatalogueLesson(
            id=row.id,
            slug=row.slug,
            type=LessonType(row.type),
            course_slug=row.course_slug,
            level_slug=row.level_slug,
            is_optional=row.is_optional,
            data=row.data,
            walkthrough_video_data=row.walkthrough_video_data,
            concepts=tuple(one for one in opened if isinstance(one, CatalogueConcept)),
            # the newest, should an import have left an orphan at the same lesson (contract.md 4.1: at most one)
            challenge=max((one for one in opened if isinstance(one, CatalogueChallenge)), key=_by_id, default=None),
        )
        lessons_of_level.setdefault(row.level_id, []).append(lesson)
    return Catalogue(
        version=version or 0,
        courses=_courses(session, lessons_of_level),
        concepts={one.slug: one for one in concepts},
        former_concept_slugs=_former_slugs(session),
        challenges={one.slug: one for one in challenges},
    )


def _former_slugs(session: Session) -> dict[str, str]:
    rows = session.execute(
        select(FormerConceptSlug.slug, Concept.slug).join(Concept, Concept.id == FormerConceptSlug.concept_id)
    )
    return {former: present for former, present in rows}  # noqa: C416  # dict(rows) loses the types


def _courses(session: Session, lessons_of_level: dict[int, list[CatalogueLesson]]) -> dict[str, CatalogueCourse]:
    levels_of_course: dict[int, list[LevelFact]] = {}
    for level in session.execute(select(Level.id, Level.slug, Level.course_id).order_by(Level.position)):
        lessons = tuple(LessonFact(one.id, one.slug, one.is_optional) for one in lessons_of_level.get(level.id, ()))
        levels_of_course.setdefault(level.course_id, []).append(LevelFact(level.id, level.slug, lessons))
    return {
        course.slug: CatalogueCourse(
            id=course.id,
            slug=course.slug,
            levels=tuple(levels_of_course.get(course.id, ())),
            lessons={
                lesson.id: lesson
                for level in levels_of_course.get(course.id, ())
                for lesson in lessons_of_level.get(level.id, ())
            },
        )
        for course in session.execute(select(Course.id, Course.slug).order_by(Course.position))
    }


def _by_id(challenge: CatalogueChallenge) -> int:
    return challenge.id


Unlockable = CatalogueConcept | CatalogueChallenge


def _unlockables(
    session: Session,
) -> tuple[list[CatalogueConcept], list[CatalogueChallenge], dict[int, list[Unlockable]]]:
    """Concepts and challenges by slug, and by the id of the lesson that opens them."""
    concepts: list[CatalogueConcept] = []
    challenges: list[CatalogueChallenge] = []
    opened_by: dict[int, list[Unlockable]] = {}
    for row in session.execute(
        select(Concept.id, Concept.slug, Lesson.id.label("lesson_id"), Lesson.slug.label("lesson_slug"))
        .outerjoin(UnlockEdge, UnlockEdge.concept_id == Concept.id)
        .outerjoin(Lesson, Lesson.id == UnlockEdge.lesson_id)
        .order_by(Concept.id)
    ):
        concept = CatalogueConcept(row.id, row.slug, row.lesson_slug)
        concepts.append(concept)
        opened_by.setdefault(row.lesson_id, []).append(concept)
    for opened in session.execute(
        select(
            Challenge.id,
            Challenge.slug,
            Challenge.exercise_slug,
            Lesson.id.label("lesson_id"),
            Lesson.slug.label("lesson_slug"),
        )
        .outerjoin(UnlockEdge, UnlockEdge.challenge_id == Challenge.id)
        .outerjoin(Lesson, Lesson.id == UnlockEdge.lesson_id)
        .order_by(Challenge.slug)
    ):
        challenge = CatalogueChallenge(opened.id, opened.slug, opened.exercise_slug, opened.lesson_slug)
        challenges.append(challenge)
        opened_by.setdefault(opened.lesson_id, []).append(challenge)
    return concepts, challenges, opened_by
