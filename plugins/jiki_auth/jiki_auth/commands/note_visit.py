"""Notes that somebody was here: the day once, languages and country when they are missing, the session each hour."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, update

from jiki_auth.events import SiteVisited
from jiki_auth.models import Session, User
from jiki_core.db import UnitOfWork


@dataclass(frozen=True)
class Visit:
    """What a request told; empty members are not noted."""

    user_id: int
    is_first_today: bool = False
    language_tags: tuple[str, ...] = ()
    country_code: str | None = None
    #: the session whose sliding end is renewed
    used_session: uuid.UUID | None = None


def note_visit(uow: UnitOfWork, visit: Visit) -> None:
    """Each part is one conditional statement, so that of two requests at once one wins (contract.md 3.2)."""
    today = uow.now.date()
    own = User.id == visit.user_id
    if visit.is_first_today:
        winner = uow.session.execute(
            update(User)
            .where(own, (User.last_active_on.is_(None)) | (User.last_active_on < today))
            .values(last_active_on=today)
            .returning(User.id)
        ).scalar_one_or_none()
        if winner is not None:
            uow.emit(SiteVisited(visit.user_id, today.isoformat()))
    if visit.language_tags:
        uow.session.execute(
            update(User)
            .where(own, func.cardinality(User.language_tags) == 0)
            .values(language_tags=list(visit.language_tags))
        )
    if visit.country_code is not None:
        uow.session.execute(
            update(User).where(own, User.country_code.is_(None)).values(country_code=visit.country_code)
        )
    if visit.used_session is not None:
        uow.session.execute(update(Session).where(Session.id == visit.used_session).values(last_used_at=uow.now))
