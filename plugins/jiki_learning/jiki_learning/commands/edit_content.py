"""What every edit of content begins and ends with, and the checks that editors share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, select, text

from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_learning.commands.content_lock import lock_content
from jiki_learning.commands.unlock_edges import link_lessons, unlock_earned_concepts
from jiki_learning.content.course import SLUG_MAX_LENGTH, is_slug
from jiki_learning.jobs import settle_course
from jiki_learning.queries.catalogue import content_changed


@contextmanager
def editing(uow: UnitOfWork, course_id: int | None = None) -> Iterator[None]:
    """Around an edit: one editor at a time; caches notice; a course's edges follow, and its learners by a job."""
    lock_content(uow)
    content_changed(uow)
    yield
    if course_id is not None:
        link_lessons(uow, course_id)
        uow.enqueue(settle_course, course_id=course_id)
    unlock_earned_concepts(uow)


def check_slug(uow: UnitOfWork, model: Any, slug: str, *, except_id: int | None = None, field: str = "slug") -> None:
    """Raises ValidationFailed for text that is no slug, and for one that another row of the model has."""
    if not is_slug(slug):
        fault = FieldError("too_long", count=SLUG_MAX_LENGTH) if len(slug) > SLUG_MAX_LENGTH else FieldError("invalid")
        raise ValidationFailed({field: [fault]})
    taken = uow.session.execute(select(model.id).where(model.slug == slug)).scalar_one_or_none()
    if taken is not None and taken != except_id:
        raise ValidationFailed({field: [FieldError("taken")]})


def place_among(uow: UnitOfWork, model: Any, siblings: ColumnElement[bool], row_id: int, position: int | None) -> None:
    """Gives a row its place among its siblings, counted from 1; None or beyond the end means the end. The others close up."""
    ids: Sequence[int] = uow.session.scalars(
        select(model.id).where(siblings, model.id != row_id).order_by(model.position, model.id)
    ).all()
    at = len(ids) if position is None else max(0, min(len(ids), position - 1))
    order = [*ids[:at], row_id, *ids[at:]]
    table = f"{model.__table__.schema}.{model.__table__.name}"
    uow.session.execute(
        text(f"""
            update {table} rows set position = place.position
            from unnest(cast(:ids as bigint[])) with ordinality as place(id, position)
            where rows.id = place.id and rows.position <> place.position
        """),
        {"ids": order},
    )
