"""The status machine of premium: what a snapshot of a Stripe subscription changes here (contract.md 3.9,
3.12, section 1).

Pure. Nothing is decided by the order in which news arrives: each subscription is known by its newest
snapshot, and status, dates and entitlement are computed from those. Verify, webhooks and the nightly sweep
all call `reconcile`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from jiki_payments.stripe_snapshots import EndReason, Interval, StripeStatus, SubscriptionSnapshot

GRACE_PERIOD = timedelta(days=7)
"""How long premium outlives what was paid for while a payment is retried (contract.md 4.2)."""


class SubscriptionStatus(StrEnum):
    """Where a user stands; the wire's words (contract.md 4.2)."""

    NEVER_SUBSCRIBED = "never_subscribed"
    INCOMPLETE = "incomplete"
    ACTIVE = "active"
    PAYMENT_FAILED = "payment_failed"
    CANCELLING = "cancelling"
    CANCELED = "canceled"

    @property
    def may_check_out(self) -> bool:
        """`incomplete` may try again: a first payment that never succeeded must not lock the door."""
        return self in _MAY_CHECK_OUT

    @property
    def may_change_interval(self) -> bool:
        return self in _MAY_CHANGE_INTERVAL

    @property
    def may_reactivate(self) -> bool:
        return self is SubscriptionStatus.CANCELLING


_MAY_CHECK_OUT = frozenset(
    {SubscriptionStatus.NEVER_SUBSCRIBED, SubscriptionStatus.INCOMPLETE, SubscriptionStatus.CANCELED}
)
_MAY_CHANGE_INTERVAL = frozenset(
    {SubscriptionStatus.ACTIVE, SubscriptionStatus.PAYMENT_FAILED, SubscriptionStatus.CANCELLING}
)
_TERMINAL = frozenset({StripeStatus.CANCELED, StripeStatus.INCOMPLETE_EXPIRED})
_PAID_UP = frozenset({StripeStatus.ACTIVE, StripeStatus.TRIALING})
_NEVER_PAID = frozenset({StripeStatus.INCOMPLETE, StripeStatus.INCOMPLETE_EXPIRED})
_CHARGED_FOR = frozenset({StripeStatus.ACTIVE, StripeStatus.TRIALING, StripeStatus.PAST_DUE})

#: Which of several subscriptions speaks for the user: the one that gives most, then the newest.
_STANDING_RANK = {
    StripeStatus.ACTIVE: 4,
    StripeStatus.TRIALING: 4,
    StripeStatus.PAST_DUE: 3,
    StripeStatus.UNPAID: 2,
    StripeStatus.PAUSED: 2,
    StripeStatus.INCOMPLETE: 1,
    StripeStatus.CANCELED: 0,
    StripeStatus.INCOMPLETE_EXPIRED: -1,
}


@dataclass(frozen=True, slots=True, order=True)
class IntervalPeriod:
    """A fact that stays true: from `since` on, the subscription was paid at this interval."""

    since: datetime
    interval: Interval


@dataclass(frozen=True, slots=True)
class SubscriptionRecord:
    """What is kept of one Stripe subscription: its newest snapshot, and every interval it was ever seen at,
    oldest first.
    """

    snapshot: SubscriptionSnapshot
    intervals: tuple[IntervalPeriod, ...]


@dataclass(frozen=True, slots=True)
class LocalState:
    """What is stored of one user's Stripe subscriptions."""

    customer_id: str | None = None
    records: tuple[SubscriptionRecord, ...] = ()
    #: when the entitlement whose source is Stripe ends; None = there is none
    premium_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What follows from the records: the `subscription` of the wire, and until when Stripe makes the user
    premium.
    """

    status: SubscriptionStatus
    subscription_id: str | None = None
    customer_id: str | None = None
    stripe_status: StripeStatus | None = None
    interval: Interval | None = None
    #: the end of what has been paid for
    valid_until: datetime | None = None
    cancels_at: datetime | None = None
    payment_failed_at: datetime | None = None
    premium_until: datetime | None = None

    @property
    def grace_period_ends_at(self) -> datetime | None:
        """Seven days after `valid_until`, whenever that is set (contract.md 4.2)."""
        return self.valid_until + GRACE_PERIOD if self.valid_until else None

    def is_in_grace_period(self, now: datetime) -> bool:
        """A payment failed and its grace has not run out; never true of a subscription Stripe gave up on."""
        return (
            self.status is SubscriptionStatus.PAYMENT_FAILED
            and self.premium_until is not None
            and now < self.premium_until
        )


@dataclass(frozen=True, slots=True)
class GrantPremium:
    """The entitlement from Stripe is to last until `expires_at`, be it new, longer or shorter than now."""

    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RevokePremium:
    """The entitlement from Stripe is to end now; others are not touched (contract.md 7.15)."""


@dataclass(frozen=True, slots=True)
class UnknownPrice:
    """Alert: a live subscription at a price we do not sell. The snapshot is parked: nothing changes, no
    retry.
    """

    subscription_id: str
    price_id: str | None


@dataclass(frozen=True, slots=True)
class SeveralSubscriptions:
    """Alert: one user is charged for more than one subscription; somebody has to cancel and refund."""

    subscription_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """The outcome of one snapshot. Writing `state` makes it true; the rest says what to do about it."""

    state: LocalState
    before: Standing
    after: Standing
    #: the record to write; None when the snapshot told nothing new
    record: SubscriptionRecord | None = None
    entitlement: GrantPremium | RevokePremium | None = None
    alerts: tuple[UnknownPrice | SeveralSubscriptions, ...] = ()

    @property
    def is_parked(self) -> bool:
        return any(isinstance(alert, UnknownPrice) for alert in self.alerts)

    @property
    def has_new_payment_failure(self) -> bool:
        """Whether the user has to be told of a failed payment they have not been told of."""
        return self.after.payment_failed_at is not None and (
            (self.after.subscription_id, self.after.payment_failed_at)
            != (self.before.subscription_id, self.before.payment_failed_at)
        )


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One stretch of a subscription at one interval (contract.md 4.2, `subscriptions` history entry)."""

    stripe_subscription_id: str
    interval: Interval
    started_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    payment_failed_at: datetime | None
    tier: str = "premium"


def reconcile(snapshot: SubscriptionSnapshot, local: LocalState) -> Changes:
    """What `snapshot` changes in `local`; repeating it, or bringing an older one late, changes nothing
    more.
    """
    before = standing_of(local.records)
    if snapshot.interval is None and snapshot.status not in _TERMINAL:
        alert = UnknownPrice(snapshot.subscription_id, snapshot.price_id)
        return Changes(local, before, before, alerts=(alert,))
    known = {record.snapshot.subscription_id: record for record in local.records}
    stored = known.get(snapshot.subscription_id)
    record = _merged(stored, snapshot)
    known[snapshot.subscription_id] = record
    records = tuple(known[key] for key in sorted(known))
    after = standing_of(records)
    state = LocalState(after.customer_id or local.customer_id, records, after.premium_until)
    return Changes(
        state,
        before,
        after,
        record=None if record == stored else record,
        entitlement=_entitlement_change(local.premium_until, after.premium_until),
        alerts=_alerts(records),
    )


def standing_of(records: Iterable[SubscriptionRecord]) -> Standing:
    """Where a user with these records stands; of a first payment that expired unpaid only the customer
    remains.
    """
    snapshots = [record.snapshot for record in records]
    if not snapshots:
        return Standing(SubscriptionStatus.NEVER_SUBSCRIBED)
    speaking = max(snapshots, key=lambda one: (_STANDING_RANK[one.status], one.created_at, one.subscription_id))
    if speaking.status is StripeStatus.INCOMPLETE_EXPIRED:
        return Standing(SubscriptionStatus.NEVER_SUBSCRIBED, customer_id=speaking.customer_id)
    return Standing(
        status=_status_of(speaking),
        subscription_id=speaking.subscription_id,
        customer_id=speaking.customer_id,
        stripe_status=speaking.status,
        interval=speaking.interval,
        valid_until=_valid_until(speaking),
        cancels_at=speaking.cancels_at,
        payment_failed_at=speaking.payment_failed_at,
        premium_until=max((until for one in snapshots if (until := _premium_until(one))), default=None),
    )


def history_of(records: Iterable[SubscriptionRecord]) -> tuple[HistoryEntry, ...]:
    """Every stretch that was paid for, oldest first, each closed by the next interval or by the
    subscription's end.
    """
    entries = [
        entry for record in records if record.snapshot.status not in _NEVER_PAID for entry in _entries_of(record)
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.started_at, entry.stripe_subscription_id)))


def _merged(stored: SubscriptionRecord | None, snapshot: SubscriptionSnapshot) -> SubscriptionRecord:
    intervals = set(stored.intervals) if stored else set()
    if snapshot.interval is not None:
        intervals.add(IntervalPeriod(snapshot.interval_since, snapshot.interval))
    newest = stored.snapshot if stored and _is_newer(stored.snapshot, snapshot) else snapshot
    return SubscriptionRecord(newest, tuple(sorted(intervals)))


def _is_newer(stored: SubscriptionSnapshot, snapshot: SubscriptionSnapshot) -> bool:
    """A subscription never leaves a terminal status, so such a snapshot is the newer one whatever two clocks
    say.
    """
    return (stored.status in _TERMINAL, stored.observed_at) > (
        snapshot.status in _TERMINAL,
        snapshot.observed_at,
    )


def _status_of(snapshot: SubscriptionSnapshot) -> SubscriptionStatus:
    if snapshot.status in _PAID_UP:
        return SubscriptionStatus.CANCELLING if snapshot.cancels_at else SubscriptionStatus.ACTIVE
    if snapshot.status is StripeStatus.INCOMPLETE:
        return SubscriptionStatus.INCOMPLETE
    if snapshot.status is StripeStatus.CANCELED:
        return SubscriptionStatus.CANCELED
    return SubscriptionStatus.PAYMENT_FAILED


def _valid_until(snapshot: SubscriptionSnapshot) -> datetime | None:
    """Stripe opens the next period before it is paid: while a payment is due, only what lies before it is
    paid for.
    """
    if snapshot.status in _PAID_UP:
        ends = [moment for moment in (snapshot.cancels_at, snapshot.period_end) if moment]
        return min(ends, default=None)
    if snapshot.status in (StripeStatus.PAST_DUE, StripeStatus.UNPAID, StripeStatus.PAUSED):
        return snapshot.period_start
    return None


def _premium_until(snapshot: SubscriptionSnapshot) -> datetime | None:
    """A renewal gets the grace period too, so that late news of it takes nothing from somebody who paid."""
    valid_until = _valid_until(snapshot)
    if valid_until is None or snapshot.status in (StripeStatus.UNPAID, StripeStatus.PAUSED):
        return None
    return valid_until if _status_of(snapshot) is SubscriptionStatus.CANCELLING else valid_until + GRACE_PERIOD


def _entitlement_change(stored: datetime | None, wanted: datetime | None) -> GrantPremium | RevokePremium | None:
    if stored == wanted:
        return None
    return RevokePremium() if wanted is None else GrantPremium(wanted)


def _alerts(records: Iterable[SubscriptionRecord]) -> tuple[SeveralSubscriptions, ...]:
    charged = [r.snapshot.subscription_id for r in records if r.snapshot.status in _CHARGED_FOR]
    return (SeveralSubscriptions(tuple(charged)),) if len(charged) > 1 else ()


def _entries_of(record: SubscriptionRecord) -> list[HistoryEntry]:
    snapshot = record.snapshot
    changes = [
        period
        for previous, period in zip((None, *record.intervals), record.intervals, strict=False)
        if previous is None or previous.interval is not period.interval
    ]
    entries = []
    for position, period in enumerate(changes):
        following = changes[position + 1] if position + 1 < len(changes) else None
        entries.append(
            HistoryEntry(
                stripe_subscription_id=snapshot.subscription_id,
                interval=period.interval,
                started_at=period.since,
                ended_at=following.since if following else snapshot.ended_at,
                end_reason=EndReason.INTERVAL_CHANGED if following else snapshot.end_reason,
                payment_failed_at=None if following else snapshot.payment_failed_at,
            )
        )
    return entries
