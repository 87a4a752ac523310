"""Brings a user in line with what Stripe said of one of their subscriptions (contract.md 3.12, "Sync subscription")."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.jobs.tracking import track
from jiki_payments.alerts import Alert, alert
from jiki_payments.commands.grant_entitlement import grant_entitlement, open_entitlement
from jiki_payments.commands.member import lock_member
from jiki_payments.commands.revoke_entitlement import revoke_entitlement
from jiki_payments.commands.tell_of_failed_payment import tell_of_failed_payment
from jiki_payments.events import SubscriptionChanged
from jiki_payments.models import Member, Source, Subscription
from jiki_payments.stripe_snapshots import SubscriptionSnapshot
from jiki_payments.stripe_states import (
    Changes,
    GrantPremium,
    LocalState,
    RevokePremium,
    SubscriptionRecord,
    UnknownPrice,
    reconcile,
)


def apply_snapshot(uow: UnitOfWork, user_id: int, snapshot: SubscriptionSnapshot, *, is_news: bool = True) -> Changes:
    """Whatever happened since is done here, once, in whatever order snapshots come. Raises NotFound for an unknown user.

    With `is_news=False`, for a rebuild, nobody is mailed about the past.
    """
    member = lock_member(uow, user_id)
    changes = reconcile(snapshot, _local_state(uow, member))
    for found in changes.alerts:
        if isinstance(found, UnknownPrice):
            alert(Alert.UNKNOWN_PRICE, subscription_id=found.subscription_id, price_id=found.price_id, user_id=user_id)
        else:
            alert(Alert.SEVERAL_SUBSCRIPTIONS, subscription_ids=list(found.subscription_ids), user_id=user_id)
    if changes.is_parked:
        return changes
    if member.stripe_customer_id is None:
        member.stripe_customer_id = changes.state.customer_id or snapshot.customer_id
    if not is_news and member.welcomed_at is None and changes.after.premium_until is not None:
        member.welcomed_at = snapshot.started_at
    if changes.record is not None:
        _store(uow, user_id, changes.record)
    if isinstance(changes.entitlement, GrantPremium):
        grant_entitlement(uow, user_id, Source.STRIPE, expires_at=changes.entitlement.expires_at)
    elif isinstance(changes.entitlement, RevokePremium):
        revoke_entitlement(uow, user_id, Source.STRIPE)
    if is_news and changes.has_new_payment_failure:
        tell_of_failed_payment(uow, user_id, changes.after)
    if changes.before.status is not changes.after.status:
        _tell_change(uow, user_id, changes, is_news=is_news)
    return changes


def _local_state(uow: UnitOfWork, member: Member) -> LocalState:
    rows = uow.session.scalars(
        select(Subscription)
        .where(Subscription.user_id == member.user_id)
        .order_by(Subscription.subscription_id)
        .execution_options(populate_existing=True)
    )
    held = open_entitlement(uow, member.user_id, Source.STRIPE)
    return LocalState(
        customer_id=member.stripe_customer_id,
        records=tuple(row.as_record() for row in rows),
        premium_until=held.expires_at if held else None,
    )


def _store(uow: UnitOfWork, user_id: int, record: SubscriptionRecord) -> None:
    values = asdict(record.snapshot)
    values["user_id"] = user_id
    values["intervals"] = [{"since": one.since.isoformat(), "interval": one.interval} for one in record.intervals]
    statement = insert(Subscription).values(values)
    replaced = {name: statement.excluded[name] for name in values if name not in ("subscription_id", "user_id")}
    uow.session.execute(statement.on_conflict_do_update(index_elements=[Subscription.subscription_id], set_=replaced))


def _tell_change(uow: UnitOfWork, user_id: int, changes: Changes, *, is_news: bool) -> None:
    uow.audit(
        "subscription:changed",
        target_type="user",
        target_id=user_id,
        before={"status": changes.before.status, "subscription_id": changes.before.subscription_id},
        after={"status": changes.after.status, "subscription_id": changes.after.subscription_id},
        plugin="payments",
    )
    uow.emit(SubscriptionChanged(user_id, changes.before.status, changes.after.status))
    if is_news:
        track(
            uow,
            "payments.subscription_changed",
            user_id=user_id,
            properties={"from": changes.before.status, "to": changes.after.status, "plan": changes.after.interval},
        )
