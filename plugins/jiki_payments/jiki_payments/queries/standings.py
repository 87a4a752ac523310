"""Where users stand with Stripe, as far as it was told (stripe_states.py decides)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.http import timestamp
from jiki_payments.models import Member, Subscription
from jiki_payments.stripe_states import Standing, SubscriptionRecord, SubscriptionStatus, standing_of

#: of these the wire shows no subscription (contract.md 2.2)
_NOTHING_TO_SHOW = frozenset({SubscriptionStatus.NEVER_SUBSCRIBED, SubscriptionStatus.CANCELED})


def records_of(user_ids: Sequence[int]) -> dict[int, tuple[SubscriptionRecord, ...]]:
    """user id -> what is kept of each of their subscriptions; users without any are left out. One statement."""
    query = select(Subscription).where(Subscription.user_id.in_(list(user_ids))).order_by(Subscription.subscription_id)
    found: dict[int, list[SubscriptionRecord]] = {}
    for row in reading().scalars(query.execution_options(populate_existing=True)):
        found.setdefault(row.user_id, []).append(row.as_record())
    return {user_id: tuple(records) for user_id, records in found.items()}


def standings_of(user_ids: Sequence[int]) -> dict[int, Standing]:
    """user id -> where they stand, for every id asked for."""
    records = records_of(user_ids)
    return {user_id: standing_of(records.get(user_id, ())) for user_id in user_ids}


def customer_of(user_id: int) -> str | None:
    """The user's Stripe customer."""
    return reading().scalar(select(Member.stripe_customer_id).where(Member.user_id == user_id))


def owner_of(subscription_id: str | None, customer_id: str | None) -> int | None:
    """Whose subscription or customer that is, as far as we have seen them before."""
    if subscription_id is not None:
        query = select(Subscription.user_id).where(Subscription.subscription_id == subscription_id)
        if (user_id := reading().scalar(query)) is not None:
            return user_id
    if customer_id is None:
        return None
    member = reading().scalar(select(Member.user_id).where(Member.stripe_customer_id == customer_id))
    if member is not None:
        return member
    return reading().scalar(select(Subscription.user_id).where(Subscription.customer_id == customer_id).limit(1))


def subscription_json(standing: Standing, now: datetime) -> dict[str, Any] | None:
    """The wire's `subscription` (contract.md 2.2)."""
    if standing.status in _NOTHING_TO_SHOW or standing.interval is None:
        return None
    return {
        "interval": standing.interval,
        "in_grace_period": standing.is_in_grace_period(now),
        "grace_period_ends_at": timestamp(standing.grace_period_ends_at, milliseconds=True),
        "subscription_valid_until": timestamp(standing.valid_until, milliseconds=True),
    }
