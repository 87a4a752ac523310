"""Records how much of a video outside the courses was watched (contract.md 3.7)."""

from __future__ import annotations

from sqlalchemy import case, func
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_learning.models import UserVideo

WHOLE = 100


def watch_video(uow: UnitOfWork, user_id: int, uuid: str, percentage: int) -> None:
    """Clamped to 0..100; never goes down; complete once it was 100. The row is made when it is missing."""
    watched = max(0, min(WHOLE, percentage))
    added = insert(UserVideo).values(
        user_id=user_id,
        uuid=uuid,
        watched_percentage=watched,
        completed_at=uow.now if watched == WHOLE else None,
    )
    uow.session.execute(
        added.on_conflict_do_update(
            index_elements=[UserVideo.user_id, UserVideo.uuid],
            set_={
                "watched_percentage": func.greatest(UserVideo.watched_percentage, added.excluded.watched_percentage),
                "completed_at": case(
                    (UserVideo.completed_at.is_not(None), UserVideo.completed_at), else_=added.excluded.completed_at
                ),
            },
        )
    )
