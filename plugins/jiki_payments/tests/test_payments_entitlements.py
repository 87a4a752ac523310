"""Entitlements: granting, taking back, expiry, and what is announced (contract.md 3.9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from jiki_auth.testing import make_user
from jiki_core.contracts import Entitlements, ask
from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry
from jiki_core.errors import NotFound
from jiki_payments.commands.grant_entitlement import grant_entitlement
from jiki_payments.commands.revoke_entitlement import revoke_entitlement
from jiki_payments.errors import EntitlementNotFound
from jiki_payments.models import Source
from jiki_payments.queries.entitlements import entitlements_of

SOON = timedelta(days=30)


@pytest.fixture
def user(db):
    """A user, and an app context to ask in."""
    made = make_user(db)
    with db.app_context():
        yield made


def grant(user, source=Source.GRANT, **options):
    with unit_of_work() as uow:
        return grant_entitlement(uow, user.id, source, **options)


def revoke(user, source=Source.GRANT):
    with unit_of_work() as uow:
        return revoke_entitlement(uow, user.id, source)


def is_premium(user):
    return ask(Entitlements).check(user.id, "premium")


def announced():
    names = reading().scalars(
        select(OutboxEntry.name).where(OutboxEntry.name.like("payments.premium_%")).order_by(OutboxEntry.seq)
    )
    return [name.removeprefix("payments.premium_") for name in names]


def test_nobody_is_premium_by_being_there(user):
    assert not is_premium(user)


@pytest.mark.parametrize(
    ("ends_in", "expected"),
    [(None, True), (timedelta(days=1), True), (timedelta(seconds=-1), False)],
    ids=["without end", "ends tomorrow", "ended"],
)
def test_an_entitlement_counts_until_it_ends(user, ends_in, expected):
    grant(user, expires_at=None if ends_in is None else datetime.now(UTC) + ends_in)
    assert is_premium(user) is expected


def test_many_are_asked_in_one_question(db, user):
    other = make_user(db)
    grant(user)
    assert ask(Entitlements).check_many("premium", [user.id, other.id]) == {user.id: True, other.id: False}


def test_taking_back_one_source_leaves_the_others(user):
    grant(user, Source.GRANT)
    grant(user, Source.GIFT)
    assert revoke(user, Source.GIFT).is_premium
    assert is_premium(user)
    assert not revoke(user, Source.GRANT).is_premium
    assert not is_premium(user)


def test_taking_back_what_was_never_given_is_refused(user):
    with pytest.raises(EntitlementNotFound):
        revoke(user)


def test_an_unknown_user_is_refused(db):
    with db.app_context(), pytest.raises(NotFound), unit_of_work() as uow:
        grant_entitlement(uow, 999_999_999, Source.GRANT)


def test_granting_again_moves_the_end(user):
    grant(user, expires_at=datetime.now(UTC) + SOON)
    grant(user, expires_at=None)
    rows = entitlements_of(user.id)
    assert [row.expires_at for row in rows] == [None]


def test_an_expired_row_stays_as_history(user):
    past = datetime.now(UTC) - SOON
    grant(user, expires_at=past)
    grant(user, expires_at=None)
    newest, oldest = entitlements_of(user.id)
    assert newest.expires_at is None
    assert oldest.revoked_at == oldest.expires_at == past


def test_each_change_is_announced_once(user):
    grant(user)
    grant(user)
    grant(user, Source.GIFT)
    revoke(user, Source.GIFT)
    revoke(user)
    grant(user)
    assert announced() == ["started", "ended", "started"]


def test_the_welcome_is_mailed_once_in_a_lifetime(user, mails):
    grant(user)
    revoke(user)
    grant(user)
    subjects = [mail.subject for mail in mails()]
    assert subjects.count("Welcome to Jiki Premium") == 1
    assert subjects.count("Your Jiki Premium has ended") == 1
