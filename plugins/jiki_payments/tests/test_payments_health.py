"""What operators are told of payments: notices of Stripe's that wait too long, and those that somebody must look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from jiki_core.db import unit_of_work
from jiki_payments.health import no_notice_is_parked, notices_are_handled
from jiki_payments.models.stripe_notice import NoticeState, StripeNotice


@pytest.fixture
def notice(db):
    """Writes a notice that was received some minutes ago."""

    def write(state, minutes):
        then = datetime.now(UTC) - timedelta(minutes=minutes)
        row = {"type": "invoice.paid", "object_type": "invoice", "object_id": "in_1", "happened_at": then}
        with unit_of_work() as uow:
            uow.session.execute(
                insert(StripeNotice).values(event_id=f"evt_{state}_{minutes}", received_at=then, state=state, **row)
            )

    with db.app_context():
        yield write


def test_notices_that_are_handled_in_time_are_no_trouble(notice):
    notice(NoticeState.HANDLED, 600)
    notice(NoticeState.NEW, 2)
    assert notices_are_handled() is None
    assert no_notice_is_parked() is None


def test_a_notice_that_nobody_handles_is_told(notice):
    notice(NoticeState.NEW, 11)
    assert notices_are_handled() == "1 notices of Stripe's wait for more than 10 minutes; see `flask jobs status`"


def test_a_parked_notice_is_told_with_what_to_do(notice):
    notice(NoticeState.PARKED, 1)
    assert no_notice_is_parked() == "1 notices of Stripe's are parked; repair, then `flask payments replay --parked`"


def test_operators_see_both(db):
    host = db.extensions["jiki.host"]
    checks = {one.known_as: one.is_critical for one in host.loaded["payments"].contributions.health}
    assert checks == {"notices_are_handled": True, "no_notice_is_parked": False}
