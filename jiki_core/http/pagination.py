"""The one pagination: `page` and `per`, 24 by default, at most 100 (contract.md 2.1 and section 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import marshmallow as ma
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from jiki_core.errors import FieldError, ValidationFailed

T = TypeVar("T")
DEFAULT_PER = 24
MAX_PER = 100


class PageQuery(ma.Schema):
    """`?page=&per=`; blank, junk and non-positive values mean the defaults, as the web client expects.

    A filter that is blank, as forms send those that nobody filled in, is not given.
    """

    class Meta:
        unknown = ma.EXCLUDE

    page = ma.fields.String(load_default="", metadata={"description": "1 by default"})
    per = ma.fields.String(load_default="", metadata={"description": "24 by default, at most 100"})

    @ma.pre_load
    def _only_given(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value != ""}

    @ma.post_load
    def _numbers(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        per = _positive(data["per"], DEFAULT_PER)
        if per > MAX_PER:
            raise ValidationFailed({"per": [FieldError("less_than_or_equal_to", count=MAX_PER)]})
        return {**data, "page": _positive(data["page"], 1), "per": per}


def _positive(text: str, default: int) -> int:
    digits = text.strip()
    return (
        int(digits) if digits.isascii() and digits.isdigit() and 0 < len(digits) < 10 and int(digits) > 0 else default
    )


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list."""

    items: list[T]
    current_page: int
    total_count: int
    per: int

    @property
    def total_pages(self) -> int:
        return math.ceil(self.total_count / self.per)


def paginate(session: Session, query: Select[Any], *, page: int, per: int) -> Page[Any]:
    """Two statements, whatever the size: the count and the page's rows (scalars for one column, else Row objects)."""
    total = session.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    result = session.execute(query.limit(per).offset((page - 1) * per))
    rows: list[Any] = list(result.scalars() if len(query.column_descriptions) == 1 else result)
    return Page(rows, page, total, per)
