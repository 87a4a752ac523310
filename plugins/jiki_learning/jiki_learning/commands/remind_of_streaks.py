"""Reminds learners in the evening, by their own clock, of a streak that would end today."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from jiki_auth.contracts import StreakWishes
from jiki_core.contracts import Accounts, ask
from jiki_core.db import UnitOfWork
from jiki_learning.models import ActivityDay, StreakReminder
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.streaks import Day, local_day, streak_at_risk, time_zone

#: learners looked at in one transaction
BATCH = 500
#: of a whole streak's days, the clock of somebody east of us is at most this far ahead, or behind
_AROUND = timedelta(days=2)


def remind_of_streaks(uow: UnitOfWork, *, after_id: int = 0) -> int | None:
    """Looks at a batch of learners with an id above `after_id`; returns the last id, None when there are no more.

    Each learner who wants streaks is reminded at most once a day of theirs, however often this runs.
    """
    recent = list(
        uow.session.scalars(
            select(ActivityDay.user_id)
            .where(ActivityDay.user_id > after_id, ActivityDay.day >= uow.now.date() - _AROUND)
            .group_by(ActivityDay.user_id)
            .order_by(ActivityDay.user_id)
            .limit(BATCH)
        )
    )
    if not recent:
        return None
    wanting = set(ask(StreakWishes).wanting(recent))
    days: dict[int, dict[date, Day]] = {user_id: {} for user_id in wanting}
    rows = uow.session.execute(
        select(ActivityDay.user_id, ActivityDay.day, ActivityDay.kind).where(ActivityDay.user_id.in_(wanting))
    )
    for user_id, day, kind in rows:
        days[user_id][day] = Day(kind)
    hour = learning_settings().streak_reminder_hour
    for account in sorted(ask(Accounts).get_many(sorted(wanting)), key=lambda one: one.id):
        zone = time_zone(account.timezone)
        length = streak_at_risk(days[account.id], uow.now, zone, from_hour=hour)
        if length and _is_first_today(uow, account.id, local_day(uow.now, zone)):
            uow.notify(account.id, "learning.streak_reminder", {"current_streak": length})
    return recent[-1]


def _is_first_today(uow: UnitOfWork, user_id: int, today: date) -> bool:
    reminding = insert(StreakReminder).values(user_id=user_id, day=today)
    written = uow.session.execute(
        reminding.on_conflict_do_update(
            index_elements=[StreakReminder.user_id],
            set_={"day": func.greatest(StreakReminder.day, reminding.excluded.day)},
            where=StreakReminder.day < reminding.excluded.day,
        ).returning(StreakReminder.user_id)
    ).scalar_one_or_none()
    return written is not None
