"""The digest of what was not read: when, to whom, and each notification once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from jiki_auth.testing import make_user
from jiki_core.db import db, unit_of_work
from jiki_core.mail.digest import is_due, mail_digest, plan_digests
from jiki_core.testing import drain_outbox

NOON = datetime(2026, 5, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timezone", "last", "due"),
    [
        ("UTC", None, True),
        ("America/Los_Angeles", None, False),  # five in the morning
        ("Asia/Tokyo", None, True),  # nine in the evening
        ("Asia/Tokyo", datetime(2026, 5, 9, 22, 0, tzinfo=UTC), False),  # this morning there
        ("Asia/Tokyo", datetime(2026, 5, 9, 14, 0, tzinfo=UTC), True),  # last night there
        ("Nowhere/Land", None, True),  # counts as UTC
    ],
)
def test_it_is_due_in_the_morning_of_its_reader_and_once_a_day(timezone, last, due):
    assert is_due(NOON, timezone, last) is due


@pytest.fixture
def reader(committed_db, mail_catcher):
    """A learner with two badges and a milestone of yesterday, and one badge of a minute ago."""
    user = make_user(committed_db)
    drain_outbox(committed_db)
    with committed_db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("delete from core.notifications"))  # what the account got when it was made
        for type in ("learning.badge_awarded", "learning.badge_awarded", "learning.level_milestone"):
            uow.notify(user.id, type, {})
        uow.session.execute(text("update core.notifications set created_at = now() - interval '1 day'"))
        uow.notify(user.id, "learning.badge_awarded", {})
        uow.session.execute(text("update auth.users set timezone = 'UTC'"))
    drain_outbox(committed_db)
    mail_catcher.clear()
    return user


def sql(app, statement, **values):
    with app.app_context(), db.engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else []


def digest(app, mail_catcher, user):
    with app.app_context(), unit_of_work() as uow:
        became = mail_digest(uow, user.id)
    drain_outbox(app)
    return became, [one for one in mail_catcher.messages() if "you have not seen yet" in one.subject]


def test_it_counts_by_kind_and_tells_each_once(committed_db, mail_catcher, reader):
    became, (mail,) = digest(committed_db, mail_catcher, reader)
    assert (became, mail.to, mail.subject) == ("sent", reader.email, "3 things you have not seen yet")
    assert "* 2 × A badge was earned\n* 1 × All of its lessons are done" in mail.text.replace("\r", "")
    assert digest(committed_db, mail_catcher, reader)[0] == "nothing to tell"
    assert sql(committed_db, "select count(*) from core.notifications where digested_at is null") == [(1,)]


def test_its_button_stops_the_activity_mails_of_its_reader(committed_db, mail_catcher, reader):
    digest(committed_db, mail_catcher, reader)
    (raw,) = [path.read_text() for path in (mail_catcher._maildir / "new").iterdir()]
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw
    assert "?key=activity_emails>\n" in raw


def test_who_does_not_want_it_gets_none_and_is_not_asked_again(committed_db, mail_catcher, reader):
    sql(committed_db, "update auth.users set receive_activity_emails = false")
    assert digest(committed_db, mail_catcher, reader) == ("not wanted", [])
    assert sql(committed_db, "select count(*) from core.notifications where digested_at is null") == [(1,)]


def test_what_was_read_is_not_told(committed_db, mail_catcher, reader):
    sql(committed_db, "update core.notifications set read_at = now()")
    assert digest(committed_db, mail_catcher, reader) == ("nothing to tell", [])


def test_the_plan_asks_for_those_in_whose_zone_it_is_morning(committed_db, mail_catcher, reader):
    with committed_db.app_context(), unit_of_work() as uow:
        hour = uow.now.hour
        ahead = (12 - hour) % 24  # a zone where it is noon, whatever the time of this run
        zone = f"Etc/GMT{-ahead:+d}" if ahead <= 14 else f"Etc/GMT{24 - ahead:+d}"
        uow.session.execute(text("update auth.users set timezone = :zone"), {"zone": zone})
        assert plan_digests(uow) == 1
        assert plan_digests(uow) == 1  # the second meets the first in flight
    drain_outbox(committed_db)
    assert len(mail_catcher.messages()) == 1
    with committed_db.app_context(), unit_of_work() as uow:
        assert plan_digests(uow) == 0
