"""The leaderboard through every door, with and without payments, paused and resumed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from jiki_auth.testing import make_user, signed_in
from jiki_core.contracts import Entitlements
from jiki_core.db import reading, unit_of_work
from jiki_core.plugins.pausing import pause_plugin, release_held, resume_plugin
from jiki_core.runtime import runtime_of
from jiki_core.security import Permission
from jiki_core.testing import PluginConformance, count_queries, drain_outbox, wait_until
from jiki_learning.events import LessonCompleted
from sqlalchemy import select

from jiki_leaderboard.commands.add_points import add_points
from jiki_leaderboard.health import NobodyMayLook, check_audience, winners_are_crowned
from jiki_leaderboard.jobs import crown_winners
from jiki_leaderboard.models import WeeklyScore
from jiki_leaderboard.plugin import plugin
from jiki_leaderboard.weeks import week_before, week_of


class TestConformance(PluginConformance):
    plugin = plugin


def complete(app, user_id, *, at=None):
    completed_at = (at or datetime.now(UTC)).isoformat()
    with app.app_context(), unit_of_work() as uow:
        uow.emit(LessonCompleted(user_id, "course", "level", "lesson", completed_at))


def scores(app):
    with app.app_context():
        return sorted(tuple(row) for row in reading().execute(select(WeeklyScore.user_id, WeeklyScore.points)))


@pytest.mark.parametrize(
    ("moment", "monday"),
    [
        (datetime(2026, 11, 23, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 29, 23, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2027, 1, 1, tzinfo=UTC), date(2026, 12, 28)),
    ],
)
def test_weeks_begin_on_monday(moment, monday):
    assert week_of(moment) == monday
    assert week_before(monday) == monday - timedelta(days=7)


def test_completed_lessons_give_points_and_show_on_the_list(committed_db):
    ada, bob = make_user(committed_db), make_user(committed_db)
    for user in (bob, ada, ada):
        complete(committed_db, user.id)
    drain_outbox(committed_db)
    told = signed_in(committed_db, bob).get("internal/leaderboard").expect(200).body["standings"]
    assert [(line["place"], line["handle"], line["points"], line["is_me"]) for line in told] == [
        (1, ada.handle, 20, False),
        (2, bob.handle, 10, True),
    ]
    assert told[0]["is_premium"] is True, "without payments everything is granted"


def test_a_late_delivery_counts_in_the_week_of_the_completion(committed_db):
    user = make_user(committed_db)
    complete(committed_db, user.id, at=datetime(2026, 1, 7, tzinfo=UTC))
    drain_outbox(committed_db)
    with committed_db.app_context():
        assert reading().scalars(select(WeeklyScore.week)).all() == [date(2026, 1, 5)]


def test_only_learners_see_the_list(client):
    client.get("internal/leaderboard").expect(401, "unauthenticated")


def test_the_best_three_of_last_week_are_told(committed_db):
    users = [make_user(committed_db) for _ in range(4)]
    with committed_db.app_context():
        with unit_of_work() as uow:
            for number, user in enumerate(users):
                add_points(uow, user.id, 10 * (number + 1), at=uow.now - timedelta(days=7))
            uow.enqueue(crown_winners)
        drain_outbox(committed_db)
    best = signed_in(committed_db, users[3]).get("internal/notifications").body["results"]
    assert (best[0]["type"], best[0]["data"]["place"]) == ("leaderboard.crowned", 1)
    others = signed_in(committed_db, users[0]).get("internal/notifications").body["results"]
    assert "leaderboard.crowned" not in {one["type"] for one in others}


def test_a_paused_leaderboard_misses_nothing(committed_db):
    user = make_user(committed_db)
    plugins = runtime_of(committed_db).plugins
    with committed_db.app_context(), unit_of_work() as uow:
        pause_plugin(uow, "leaderboard", reason="repairs")
    wait_until(lambda: plugins.is_paused("leaderboard"), seconds=3)
    complete(committed_db, user.id)
    drain_outbox(committed_db)
    signed_in(committed_db, user).get("internal/leaderboard").expect(503, "plugin_paused")
    assert scores(committed_db) == []
    with committed_db.app_context(), unit_of_work() as uow:
        resume_plugin(uow, "leaderboard")
    wait_until(lambda: not plugins.is_paused("leaderboard"), seconds=3)
    with committed_db.app_context(), unit_of_work() as uow:
        release_held(uow, runtime_of(committed_db).jobs)
    drain_outbox(committed_db, including_later=True)
    assert scores(committed_db) == [(user.id, 10)]


def test_a_long_list_takes_no_more_queries_than_a_short_one(committed_db):
    client = signed_in(committed_db)
    client.get("internal/leaderboard").expect(200)  # the first request fills caches
    counts = []
    for _ in range(2):
        for user in [make_user(committed_db) for _ in range(3)]:
            complete(committed_db, user.id)
        drain_outbox(committed_db)
        with count_queries(committed_db) as log:
            client.get("internal/leaderboard").expect(200)
        # Sessions are cached for a second: their look-up comes and goes.
        counts.append(sum("auth.sessions" not in one for one in log.statements))
    assert counts[0] == counts[1]


def test_the_command_shows_the_standings(committed_db):
    user = make_user(committed_db)
    complete(committed_db, user.id)
    drain_outbox(committed_db)
    shown = committed_db.test_cli_runner().invoke(args=["leaderboard", "show"]).output
    assert shown == f"  1      10  {user.handle}\n"


def test_the_job_has_its_schedule_and_the_channel_its_place(app):
    at = runtime_of(app)
    assert at.jobs["leaderboard.crown_winners"].job.timetable.cron == "5 0 * * 1"
    assert at.channels["LeaderboardChannel"][0] == "leaderboard"


def test_it_is_not_started_for_a_role_that_nobody_declares(app, monkeypatch):
    check_audience(app)
    lonely = Permission("leaderboard.look", "Look", roles=("lerner",))
    monkeypatch.setattr("jiki_leaderboard.health.PERMISSIONS", [lonely])
    with pytest.raises(NobodyMayLook, match="no plugin declares the role lerner"):
        check_audience(app)


def test_operators_are_told_when_the_winner_is_not_known(committed_db):
    def trouble():
        with committed_db.app_context():
            return winners_are_crowned()

    assert trouble() is None
    user = make_user(committed_db)
    with committed_db.app_context(), unit_of_work() as uow:
        add_points(uow, user.id, 10, at=uow.now - timedelta(days=7))
    assert trouble() is None
    with committed_db.app_context(), unit_of_work() as uow:
        pause_plugin(uow, "auth", reason="repairs")
    plugins = runtime_of(committed_db).plugins
    wait_until(lambda: plugins.is_paused("auth"), seconds=3)
    assert "is not known; is auth paused?" in trouble()


def test_payments_says_who_is_premium_when_it_is_there(make_app):
    app = make_app(("auth", "learning", "leaderboard", "payments"))
    user = make_user(app)
    complete(app, user.id)
    drain_outbox(app)
    told = signed_in(app, user).get("internal/leaderboard").expect(200).body["standings"]
    assert told[0]["is_premium"] is False


class EverybodyPays:
    """Stands in for payments."""

    def check(self, user_id, entitlement):
        return True

    def check_many(self, entitlement, user_ids):
        return dict.fromkeys(user_ids, entitlement == "premium")


def test_an_answer_can_be_put_in_place_of_a_plugins(app_with):
    app = app_with("leaderboard", answers={Entitlements: EverybodyPays()})  # auth and learning come with it
    user = make_user(app)
    complete(app, user.id)
    drain_outbox(app)
    told = signed_in(app, user).get("internal/leaderboard").expect(200).body["standings"]
    assert told[0]["is_premium"] is True
