"""Content as editors see it: rows with their ids (contract.md 2.2, Admin shapes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from jiki_core.db import reading
from jiki_core.http import Page, paginate
from jiki_learning.errors import ChallengeNotFound, ConceptNotFound, LessonNotFound, LevelNotFound
from jiki_learning.models import Challenge, Concept, Lesson, Level, UnlockEdge
from jiki_learning.queries.catalogue import find_course


def level_page(query: Mapping[str, Any]) -> Page[dict[str, Any]]:
    """`query`: `course_slug`, `slug` (part of one), `page`, `per`. Raises CourseNotFound."""
    wanted = select(Level).where(Level.course_id == find_course(query["course_slug"]).id).order_by(Level.position)
    if query["slug"]:
        wanted = wanted.where(Level.slug.contains(query["slug"], autoescape=True))
    return _page(wanted, query, _level)


def one_level(level_id: int) -> dict[str, Any]:
    """Raises LevelNotFound."""
    return _level(_found(select(Level).where(Level.id == level_id), LevelNotFound))


def level_id_of(slug: str) -> int:
    """Raises LevelNotFound."""
    level: Level = _found(select(Level).where(Level.slug == slug), LevelNotFound)
    return level.id


def lesson_list(level_id: int) -> list[dict[str, Any]]:
    """A level's lessons in order. Raises LevelNotFound."""
    one_level(level_id)
    lessons = reading().scalars(select(Lesson).where(Lesson.level_id == level_id).order_by(Lesson.position))
    return [_lesson(lesson) for lesson in lessons]


def one_lesson(lesson_id: int) -> dict[str, Any]:
    """Raises LessonNotFound."""
    return _lesson(_found(select(Lesson).where(Lesson.id == lesson_id), LessonNotFound))


def concept_page(query: Mapping[str, Any]) -> Page[dict[str, Any]]:
    """`query`: `query` (part of a slug), `page`, `per`."""
    return _page(_concepts(query["query"]), query, _concept)


def one_concept(concept_id: int) -> dict[str, Any]:
    """Raises ConceptNotFound."""
    row = reading().execute(_concepts("").where(Concept.id == concept_id)).one_or_none()
    if row is None:
        raise ConceptNotFound()
    return _concept(row)


def challenge_page(query: Mapping[str, Any]) -> Page[dict[str, Any]]:
    """`query`: `query` (part of a slug), `page`, `per`."""
    wanted = select(Challenge).order_by(Challenge.slug)
    if query["query"]:
        wanted = wanted.where(Challenge.slug.icontains(query["query"], autoescape=True))
    return _page(wanted, query, _challenge)


def one_challenge(challenge_id: int) -> dict[str, Any]:
    """Raises ChallengeNotFound."""
    return _challenge(_found(select(Challenge).where(Challenge.id == challenge_id), ChallengeNotFound))


def _page(wanted: Select[Any], query: Mapping[str, Any], shape: Any) -> Page[dict[str, Any]]:
    page = paginate(reading(), wanted, page=query["page"], per=query["per"])
    return Page([shape(row) for row in page.items], page.current_page, page.total_count, page.per)


def _found(wanted: Select[Any], missing: type[Exception]) -> Any:
    row = reading().execute(wanted.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise missing()
    return row


def _concepts(part: str) -> Select[Any]:
    wanted = (
        select(Concept.id, Concept.slug, Lesson.data["sources"].label("sources"))
        .outerjoin(UnlockEdge, UnlockEdge.concept_id == Concept.id)
        .outerjoin(Lesson, Lesson.id == UnlockEdge.lesson_id)
        .order_by(Concept.slug)
    )
    return wanted.where(Concept.slug.icontains(part, autoescape=True)) if part else wanted


def _level(level: Level) -> dict[str, Any]:
    return {
        "id": level.id,
        "slug": level.slug,
        "position": level.position,
        "milestone_email_subject": level.milestone_email_subject,
        "milestone_email_content_markdown": level.milestone_email_content_markdown,
    }


def _lesson(lesson: Lesson) -> dict[str, Any]:
    return {
        "id": lesson.id,
        "slug": lesson.slug,
        "type": lesson.type,
        "position": lesson.position,
        "optional": lesson.is_optional,
        "data": lesson.data,
        "walkthrough_video_data": lesson.walkthrough_video_data,
    }


def _concept(row: Any) -> dict[str, Any]:
    return {"id": row.id, "slug": row.slug, "video_data": row.sources or None}


def _challenge(challenge: Challenge) -> dict[str, Any]:
    return {"id": challenge.id, "slug": challenge.slug, "exercise_slug": challenge.exercise_slug}
