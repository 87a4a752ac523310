"""Concepts as learners see them: the catalogue's, with what the learner has unlocked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.http import Page
from jiki_learning.catalogue import CatalogueConcept
from jiki_learning.models import UserConcept
from jiki_learning.queries.catalogue import current_catalogue


def unlocked_concept_ids(user_id: int) -> frozenset[int]:
    return frozenset(reading().scalars(select(UserConcept.concept_id).where(UserConcept.user_id == user_id)))


def unlocked_slugs(user_id: int) -> list[str]:
    """In alphabetical order."""
    unlocked = unlocked_concept_ids(user_id)
    return sorted(one.slug for one in current_catalogue().concepts.values() if one.id in unlocked)


def concept_page(
    query: Mapping[str, Any], unlocked: Collection[int] | None, slugs: Collection[str] = ()
) -> Page[dict[str, Any]]:
    """ConceptRows, unlocked ones first, then by slug. `unlocked` None: everybody may see all of them.

    `query` holds `query` (part of a slug, in any case), `page` and `per`; `slugs` narrows the list when it is not empty.
    """
    part = query["query"].strip().lower()
    found = [
        one for one in current_catalogue().concepts.values() if part in one.slug and (not slugs or one.slug in slugs)
    ]
    found.sort(key=lambda one: (unlocked is not None and one.id not in unlocked, one.slug))
    rows = [{"slug": one.slug, "user_may_access": unlocked is None or one.id in unlocked} for one in found]
    return page_of(rows, query)


def page_of(rows: Sequence[dict[str, Any]], query: Mapping[str, Any]) -> Page[dict[str, Any]]:
    """The page that `query` asks for of rows that are all in memory."""
    start = (query["page"] - 1) * query["per"]
    return Page(list(rows[start : start + query["per"]]), query["page"], len(rows), query["per"])


def concept_shape(concept: CatalogueConcept) -> dict[str, Any]:
    """Concept of contract.md 2.2: its videos are the sources of the lesson that unlocks it."""
    lesson = current_catalogue().lessons.get(concept.lesson_slug or "")
    sources = lesson.data.get("sources") if lesson else None
    return {"slug": concept.slug, "video_data": sources or None}
