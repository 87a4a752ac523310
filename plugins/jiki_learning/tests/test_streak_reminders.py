"""Streak reminders: in the evening of the learner's own day, once, and only when there is a streak to lose."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from jiki_core.db import reading, unit_of_work
from jiki_core.db.records import Notification
from jiki_learning.commands.remind_of_streaks import remind_of_streaks
from jiki_learning.streaks import Day, streak_at_risk
from jiki_learning.testing import make_learner

TODAY = date(2026, 3, 10)
YESTERDAY, BEFORE = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
ACTIVE = Day.ACTIVE


@pytest.mark.parametrize(
    ("days", "moment", "zone", "length"),
    [
        ([BEFORE, YESTERDAY], "2026-03-10T18:00", "UTC", 2),
        ([BEFORE, YESTERDAY], "2026-03-10T17:59", "UTC", 0),
        ([BEFORE, YESTERDAY, TODAY], "2026-03-10T20:00", "UTC", 0),
        ([BEFORE], "2026-03-10T20:00", "UTC", 0),
        ([], "2026-03-10T20:00", "UTC", 0),
        ([YESTERDAY], "2026-03-10T09:00", "Asia/Tokyo", 1),
        ([YESTERDAY], "2026-03-10T15:00", "Asia/Tokyo", 0),
        ([YESTERDAY], "2026-03-11T01:00", "America/Los_Angeles", 1),
        ([YESTERDAY], "2026-03-11T00:59", "America/Los_Angeles", 0),
    ],
)
def test_a_streak_is_at_risk_in_the_evening_of_the_learners_day(days, moment, zone, length):
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert streak_at_risk(dict.fromkeys(days, ACTIVE), at, ZoneInfo(zone), from_hour=18) == length


class Streaks:
    """Learners with days behind them, and the job at a time of our choosing."""

    def __init__(self, app):
        self.app = app

    def learner(self, zone: str, *days: date, wants_streaks: bool = True) -> int:
        made = make_learner(self.app)
        with self.app.app_context(), unit_of_work() as uow:
            uow.session.execute(
                text("update auth.users set timezone = :zone, streaks_enabled = :wants where id = :id"),
                {"zone": zone, "wants": wants_streaks, "id": made.id},
            )
            for day in days:
                uow.session.execute(
                    text("insert into learning.activity_days (user_id, day, kind) values (:id, :day, 2)"),
                    {"id": made.id, "day": day},
                )
        return made.id

    def remind(self, moment: str, after_id: int = 0) -> int | None:
        with self.app.app_context(), unit_of_work() as uow:
            uow.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            return remind_of_streaks(uow, after_id=after_id)

    def told(self) -> list[tuple[int, int]]:
        with self.app.app_context():
            rows = reading().execute(
                select(Notification.user_id, Notification.data)
                .where(Notification.type == "learning.streak_reminder")
                .order_by(Notification.id)
            )
            return [(user_id, data["current_streak"]) for user_id, data in rows]


@pytest.fixture
def streaks(db):
    return Streaks(db)


def test_each_is_reminded_in_their_own_evening_once(streaks):
    here = streaks.learner("UTC", BEFORE, YESTERDAY)
    east = streaks.learner("Asia/Tokyo", YESTERDAY)
    streaks.learner("UTC", BEFORE, YESTERDAY, TODAY)
    streaks.learner("UTC", BEFORE - timedelta(days=5))
    streaks.remind("2026-03-10T09:05")
    assert streaks.told() == [(east, 1)]
    for moment in ("2026-03-10T18:05", "2026-03-10T18:35", "2026-03-10T23:35"):
        streaks.remind(moment)
    assert streaks.told() == [(east, 1), (here, 2)]


def test_who_has_switched_streaks_off_is_left_alone(streaks):
    streaks.learner("UTC", BEFORE, YESTERDAY, wants_streaks=False)
    streaks.remind("2026-03-10T19:00")
    assert streaks.told() == []


def test_the_next_evening_is_another(streaks):
    learner = streaks.learner("UTC", BEFORE, YESTERDAY)
    streaks.remind("2026-03-10T19:00")
    with streaks.app.app_context(), unit_of_work() as uow:
        uow.session.execute(
            text("insert into learning.activity_days (user_id, day, kind) values (:id, :day, 2)"),
            {"id": learner, "day": TODAY},
        )
    streaks.remind("2026-03-11T19:00")
    assert streaks.told() == [(learner, 2), (learner, 3)]


def test_it_goes_on_after_the_last_learner_of_a_batch(streaks):
    first = streaks.learner("UTC", YESTERDAY)
    second = streaks.learner("UTC", YESTERDAY)
    assert streaks.remind("2026-03-10T12:00") == second
    assert streaks.remind("2026-03-10T12:00", after_id=first) == second
    assert streaks.remind("2026-03-10T12:00", after_id=second) is None
    assert streaks.told() == []
