"""The status machine: what each snapshot means, and that nothing depends on the order in which snapshots
come.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiki_payments.stripe_snapshots import EndReason, Interval, StripeStatus, SubscriptionSnapshot
from jiki_payments.stripe_states import (
    Changes,
    GrantPremium,
    HistoryEntry,
    LocalState,
    RevokePremium,
    SeveralSubscriptions,
    SubscriptionStatus,
    UnknownPrice,
    history_of,
    reconcile,
    standing_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND_PERIOD = datetime(2026, 2, 1, tzinfo=UTC)
THIRD_PERIOD = datetime(2026, 3, 1, tzinfo=UTC)
GRACE = timedelta(days=7)
NEW = LocalState()


def snapshot(status: str = "active", seen: int = 0, **changes: object) -> SubscriptionSnapshot:
    """A monthly subscription in its first month; `seen` orders the snapshots."""
    plain = SubscriptionSnapshot(
        subscription_id="sub_1",
        customer_id="cus_1",
        status=StripeStatus(status),
        price_id="price_m",
        interval=Interval.MONTHLY,
        currency="eur",
        created_at=START,
        started_at=START,
        interval_since=START,
        period_start=START,
        period_end=SECOND_PERIOD,
        cancels_at=None,
        ended_at=None,
        end_reason=None,
        payment_failed_at=None,
        observed_at=START + timedelta(minutes=seen),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the tests name real fields


def after(*snapshots: SubscriptionSnapshot, start: LocalState = NEW) -> LocalState:
    return last_change(*snapshots, start=start).state


def last_change(*snapshots: SubscriptionSnapshot, start: LocalState = NEW) -> Changes:
    state = start
    for one in snapshots:
        changes = reconcile(one, state)
        state = changes.state
    return changes


INCOMPLETE = snapshot("incomplete")
ACTIVE = snapshot("active", 1)
CANCELLING = snapshot("active", 2, cancels_at=SECOND_PERIOD)
RENEWED = snapshot("active", 3, period_start=SECOND_PERIOD, period_end=THIRD_PERIOD)
PAST_DUE = replace(RENEWED, status=StripeStatus.PAST_DUE, payment_failed_at=SECOND_PERIOD)
UNPAID = replace(PAST_DUE, status=StripeStatus.UNPAID)
CANCELED = snapshot("canceled", 9, ended_at=SECOND_PERIOD, end_reason=EndReason.CANCELED)
EXPIRED = snapshot("incomplete_expired", 9, ended_at=START + timedelta(hours=23))


@pytest.mark.parametrize(
    ("seen", "status", "valid_until", "premium_until"),
    [
        (INCOMPLETE, "incomplete", None, None),
        (EXPIRED, "never_subscribed", None, None),
        (snapshot("trialing"), "active", SECOND_PERIOD, SECOND_PERIOD + GRACE),
        (ACTIVE, "active", SECOND_PERIOD, SECOND_PERIOD + GRACE),
        (CANCELLING, "cancelling", SECOND_PERIOD, SECOND_PERIOD),
        (snapshot(cancels_at=START + GRACE), "cancelling", START + GRACE, START + GRACE),
        (RENEWED, "active", THIRD_PERIOD, THIRD_PERIOD + GRACE),
        (PAST_DUE, "payment_failed", SECOND_PERIOD, SECOND_PERIOD + GRACE),
        (UNPAID, "payment_failed", SECOND_PERIOD, None),
        (snapshot("paused"), "payment_failed", START, None),
        (CANCELED, "canceled", None, None),
    ],
)
def test_each_stripe_status_has_one_meaning(
    seen: SubscriptionSnapshot, status: str, valid_until: datetime | None, premium_until: datetime | None
) -> None:
    standing = standing_of(after(seen).records)
    assert (standing.status, standing.valid_until, standing.premium_until) == (
        status,
        valid_until,
        premium_until,
    )


def test_a_user_without_subscriptions_never_subscribed() -> None:
    assert standing_of(()).status is SubscriptionStatus.NEVER_SUBSCRIBED


@pytest.mark.parametrize(
    ("before", "news", "entitlement"),
    [
        ((), INCOMPLETE, None),
        ((INCOMPLETE,), ACTIVE, GrantPremium(SECOND_PERIOD + GRACE)),
        ((UNPAID,), replace(RENEWED, observed_at=START + GRACE), GrantPremium(THIRD_PERIOD + GRACE)),
        ((ACTIVE,), CANCELLING, GrantPremium(SECOND_PERIOD)),
        ((CANCELLING,), replace(ACTIVE, observed_at=START + GRACE), GrantPremium(SECOND_PERIOD + GRACE)),
        ((ACTIVE,), UNPAID, RevokePremium()),
        ((PAST_DUE,), CANCELED, RevokePremium()),
        ((ACTIVE,), ACTIVE, None),
        ((CANCELED,), CANCELED, None),
    ],
    ids=[
        "an unpaid first payment grants nothing",
        "incomplete to active grants, whoever brings the news",
        "recovery after unpaid grants again",
        "cancelling ends premium with the paid period",
        "reactivating lets it renew",
        "giving up on payment revokes",
        "deletion revokes",
        "the same news again changes nothing",
        "the same end again changes nothing",
    ],
)
def test_the_entitlement_follows_the_subscription(
    before: tuple[SubscriptionSnapshot, ...],
    news: SubscriptionSnapshot,
    entitlement: GrantPremium | RevokePremium | None,
) -> None:
    assert last_change(*before, news).entitlement == entitlement


def test_an_entitlement_that_went_astray_is_repaired_by_the_same_news() -> None:
    lost = replace(after(ACTIVE), premium_until=None)
    assert reconcile(ACTIVE, lost).entitlement == GrantPremium(SECOND_PERIOD + GRACE)


def test_an_expired_checkout_does_not_lock_the_next_one_out() -> None:
    assert standing_of(after(INCOMPLETE, EXPIRED).records).status.may_check_out


@pytest.mark.parametrize(
    ("status", "may_check_out", "may_change_interval", "may_reactivate"),
    [
        ("never_subscribed", True, False, False),
        ("incomplete", True, False, False),
        ("active", False, True, False),
        ("payment_failed", False, True, False),
        ("cancelling", False, True, True),
        ("canceled", True, False, False),
    ],
)
def test_what_each_status_permits(
    status: str, may_check_out: bool, may_change_interval: bool, may_reactivate: bool
) -> None:
    machine = SubscriptionStatus(status)
    assert machine.may_check_out is may_check_out
    assert machine.may_change_interval is may_change_interval
    assert machine.may_reactivate is may_reactivate


def test_an_unknown_price_is_parked_and_changes_nothing() -> None:
    known = after(ACTIVE)
    changes = reconcile(replace(RENEWED, interval=None, price_id="price_old"), known)
    assert changes.is_parked
    assert changes.alerts == (UnknownPrice("sub_1", "price_old"),)
    assert (changes.state, changes.record, changes.entitlement) == (known, None, None)


def test_the_end_of_a_subscription_at_an_unknown_price_is_not_parked() -> None:
    changes = last_change(ACTIVE, replace(CANCELED, interval=None))
    assert not changes.is_parked
    assert changes.after.status is SubscriptionStatus.CANCELED


def test_a_late_snapshot_of_an_ended_subscription_does_not_touch_the_new_one() -> None:
    second = replace(ACTIVE, subscription_id="sub_2", created_at=THIRD_PERIOD)
    standing = standing_of(after(second, CANCELED).records)
    assert (standing.subscription_id, standing.status) == ("sub_2", "active")


def test_an_ended_subscription_stays_ended_whatever_the_clocks_say() -> None:
    skewed = replace(ACTIVE, observed_at=CANCELED.observed_at + timedelta(hours=1))
    assert after(CANCELED, skewed) == after(skewed, CANCELED)
    assert standing_of(after(CANCELED, skewed).records).status is SubscriptionStatus.CANCELED


def test_two_paid_subscriptions_raise_an_alert_and_the_newer_speaks() -> None:
    second = replace(ACTIVE, subscription_id="sub_2", created_at=THIRD_PERIOD)
    changes = last_change(second, ACTIVE)
    assert changes.alerts == (SeveralSubscriptions(("sub_1", "sub_2")),)
    assert changes.after.subscription_id == "sub_2"


@pytest.mark.parametrize("seen", [INCOMPLETE, EXPIRED, ACTIVE, CANCELED])
def test_the_customer_is_linked_from_the_first_news_and_survives_the_end(seen: SubscriptionSnapshot) -> None:
    assert after(seen).customer_id == "cus_1"


def test_a_failed_payment_is_news_once() -> None:
    failed = last_change(ACTIVE, PAST_DUE)
    assert failed.has_new_payment_failure
    again = reconcile(replace(PAST_DUE, observed_at=START + GRACE), failed.state)
    assert not again.has_new_payment_failure
    assert not reconcile(replace(RENEWED, observed_at=START + 2 * GRACE), again.state).has_new_payment_failure


@pytest.mark.parametrize(
    ("seen", "days", "is_in_grace"),
    [(PAST_DUE, 6, True), (PAST_DUE, 7, False), (UNPAID, 1, False), (ACTIVE, 1, False)],
)
def test_grace_lasts_seven_days_of_a_retried_payment(seen: SubscriptionSnapshot, days: int, is_in_grace: bool) -> None:
    now = SECOND_PERIOD + timedelta(days=days)
    assert standing_of(after(seen).records).is_in_grace_period(now) is is_in_grace


def test_the_grace_period_ends_seven_days_after_what_was_paid() -> None:
    assert standing_of(after(ACTIVE).records).grace_period_ends_at == SECOND_PERIOD + GRACE
    assert standing_of(after(CANCELED).records).grace_period_ends_at is None


def test_history_has_one_entry_per_interval_and_knows_why_each_ended() -> None:
    annual = replace(RENEWED, interval=Interval.ANNUAL, interval_since=SECOND_PERIOD, observed_at=START + GRACE)
    end = replace(
        annual,
        status=StripeStatus.CANCELED,
        ended_at=THIRD_PERIOD,
        end_reason=EndReason.PAYMENT_FAILED,
        observed_at=START + 2 * GRACE,
    )
    assert history_of(after(ACTIVE, annual, end).records) == (
        HistoryEntry(
            "sub_1",
            Interval.MONTHLY,
            START,
            SECOND_PERIOD,
            EndReason.INTERVAL_CHANGED,
            payment_failed_at=None,
        ),
        HistoryEntry(
            "sub_1",
            Interval.ANNUAL,
            SECOND_PERIOD,
            THIRD_PERIOD,
            EndReason.PAYMENT_FAILED,
            payment_failed_at=None,
        ),
    )


@pytest.mark.parametrize("seen", [INCOMPLETE, EXPIRED])
def test_what_was_never_paid_has_no_history(seen: SubscriptionSnapshot) -> None:
    assert history_of(after(seen).records) == ()


def test_a_moved_anchor_at_the_same_interval_is_one_entry() -> None:
    moved = replace(RENEWED, interval_since=START + GRACE)
    assert len(history_of(after(ACTIVE, moved).records)) == 1


# -- any order, any number of times --


@st.composite
def lives(draw: st.DrawFn, subscription_id: str) -> list[SubscriptionSnapshot]:
    """Up to 12 snapshots of one subscription's life in the order Stripe went through them, ended or not."""
    life = []
    period = 0
    interval, since = Interval.MONTHLY, START
    for step in range(draw(st.integers(1, 12))):
        happening = draw(
            st.sampled_from(["stay", "renew", "fail", "give up", "change", "cancel", "incomplete", "pause"])
        )
        if happening in ("renew", "fail", "give up"):
            period += 1
        if happening == "change":
            interval = Interval.ANNUAL if interval is Interval.MONTHLY else Interval.MONTHLY
            since = START + timedelta(days=30 * period, minutes=step)
        status = {
            "fail": StripeStatus.PAST_DUE,
            "give up": StripeStatus.UNPAID,
            "incomplete": StripeStatus.INCOMPLETE,
            "pause": StripeStatus.PAUSED,
        }.get(happening, StripeStatus.ACTIVE)
        start = START + timedelta(days=30 * period)
        end = start + timedelta(days=30 if interval is Interval.MONTHLY else 365)
        life.append(
            snapshot(
                status,
                step,
                subscription_id=subscription_id,
                interval=interval,
                interval_since=since,
                period_start=start,
                period_end=end,
                cancels_at=end if happening == "cancel" else None,
                payment_failed_at=start if status in ("past_due", "unpaid") else None,
            )
        )
    ending = draw(st.sampled_from([None, EXPIRED, CANCELED]))
    if ending:
        life.append(
            replace(
                ending,
                subscription_id=subscription_id,
                interval=interval,
                interval_since=since,
                observed_at=START + timedelta(hours=1),
            )
        )
    return life


def shuffled(snapshots: Iterable[SubscriptionSnapshot], seed: int) -> list[SubscriptionSnapshot]:
    """All of them at least once, some several times, in any order."""
    dice = random.Random(seed)
    several = [one for one in snapshots for _ in range(dice.randint(1, 3))]
    dice.shuffle(several)
    return several


@settings(max_examples=300)
@given(lives("sub_1"), lives("sub_2"), st.integers())
def test_any_order_and_duplication_gives_the_same_final_state(
    first: list[SubscriptionSnapshot], second: list[SubscriptionSnapshot], seed: int
) -> None:
    news = first + second
    assert after(*shuffled(news, seed)) == after(*news)


@settings(max_examples=300)
@given(lives("sub_1"), st.integers(), st.data())
def test_lost_news_is_healed_by_the_last_one(life: list[SubscriptionSnapshot], seed: int, data: st.DataObject) -> None:
    heard = data.draw(st.lists(st.sampled_from(life)))
    healed = after(*shuffled(heard, seed), life[-1])
    assert standing_of(healed.records) == standing_of(after(*life).records)
    assert healed.premium_until == after(*life).premium_until


@given(lives("sub_1"))
def test_repeating_the_last_news_changes_nothing(life: list[SubscriptionSnapshot]) -> None:
    state = after(*life)
    changes = reconcile(life[-1], state)
    assert (changes.state, changes.record, changes.entitlement) == (state, None, None)


@given(lives("sub_1"))
def test_history_never_overlaps_and_only_its_last_entry_is_open(life: list[SubscriptionSnapshot]) -> None:
    entries = history_of(after(*life).records)
    for earlier, later in pairwise(entries):
        assert earlier.ended_at == later.started_at
        assert earlier.end_reason is EndReason.INTERVAL_CHANGED
        assert earlier.interval is not later.interval
