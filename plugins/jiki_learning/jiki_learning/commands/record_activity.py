"""Counts today, by the learner's clock, as a day with activity (contract.md 3.16)."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_learning.models import ActivityDay
from jiki_learning.queries.zones import zone_of
from jiki_learning.streaks import Day, local_day


def record_activity(uow: UnitOfWork, user_id: int) -> None:
    """Once a day or a hundred times is the same. Acts that write in one statement do this within it."""
    added = insert(ActivityDay).values(user_id=user_id, day=local_day(uow.now, zone_of(user_id)), kind=Day.ACTIVE.value)
    uow.session.execute(
        added.on_conflict_do_update(
            index_elements=[ActivityDay.user_id, ActivityDay.day],
            set_={"kind": added.excluded.kind},
            where=ActivityDay.kind != added.excluded.kind,
        )
    )
