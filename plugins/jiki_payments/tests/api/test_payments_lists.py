"""Lists of payments take as many queries for many rows as for few."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.testing import count_queries
from jiki_payments.models import StripeNotice
from jiki_payments.testing import make_premium


def add_notices(db, number):
    then = datetime.now(UTC)
    facts = {"type": "invoice.paid", "object_type": "invoice", "object_id": "in_1", "happened_at": then}
    with db.app_context(), unit_of_work() as uow:
        for index in range(number):
            uow.session.execute(insert(StripeNotice).values(event_id=f"evt_{number}_{index}", **facts))


def add_members(db, number):
    for _ in range(number):
        make_premium(db, make_user(db).id)


@pytest.mark.parametrize(("route", "add"), [("admin/stripe_notices", add_notices), ("admin/entitlements", add_members)])
def test_a_long_list_takes_no_more_queries_than_a_short_one(db, route, add):
    admin = signed_in(db, make_user(db, is_admin=True))
    admin.get(route).expect(200)  # the first request fills caches
    counts, lengths = [], []
    for number in (1, 5):
        add(db, number)
        with count_queries(db) as log:
            lengths.append(len(admin.get(route).expect(200).body["results"]))
        # Sessions are cached for a second: their look-up comes and goes.
        counts.append(sum("auth.sessions" not in one for one in log.statements))
    assert lengths[1] - lengths[0] == 5
    assert counts[0] == counts[1]
