"""Ends what ran out: the scheduled half of premium (contract.md section 1, "premium"; 3.9's missing job)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import exists, select

from jiki_core.db import UnitOfWork
from jiki_payments.commands.announce_membership import announce_membership
from jiki_payments.commands.member import lock_member
from jiki_payments.commands.tell_of_failed_payment import tell_of_failed_payment
from jiki_payments.dunning import REMINDER_DAYS, is_due
from jiki_payments.models import PREMIUM, Entitlement, Member, Subscription
from jiki_payments.queries.entitlements import is_active
from jiki_payments.queries.standings import standings_of
from jiki_payments.stripe_states import GRACE_PERIOD

#: users in one transaction; the next minute takes the next ones
BATCH = 500
#: after this the grace period is over whatever happened
LONGEST_FAILURE = GRACE_PERIOD + timedelta(days=1)


def end_memberships(uow: UnitOfWork) -> int:
    """Announces the end of premium to those whose last entitlement has expired; how many."""
    has_any = exists().where(Entitlement.user_id == Member.user_id, Entitlement.entitlement == PREMIUM, is_active())
    members = uow.session.scalars(
        select(Member)
        .where(Member.is_announced_premium, ~has_any)
        .order_by(Member.user_id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(announce_membership(uow, member).has_changed for member in members)


def remind_of_failed_payments(uow: UnitOfWork) -> int:
    """Mails those whose payment failed some days ago and whose grace period still runs (dunning.py); how many."""
    failed = uow.session.execute(
        select(Subscription.user_id, Subscription.subscription_id)
        .where(
            Subscription.payment_failed_at > uow.now - LONGEST_FAILURE,
            Subscription.failure_mails < len(REMINDER_DAYS),
            Subscription.ended_at.is_(None),
        )
        .order_by(Subscription.user_id)
    ).all()
    told = 0
    for user_id, subscription_id in failed:
        lock_member(uow, user_id)
        mails_sent = uow.session.scalar(
            select(Subscription.failure_mails).where(Subscription.subscription_id == subscription_id)
        )
        standing = standings_of([user_id])[user_id]
        failed_at = standing.payment_failed_at
        is_theirs = standing.subscription_id == subscription_id and standing.is_in_grace_period(uow.now)
        if is_theirs and failed_at is not None and is_due(failed_at, mails_sent or 0, uow.now):
            tell_of_failed_payment(uow, user_id, standing)
            told += 1
    return told
