"""The status machine on real answers: whatever happened to a subscription at the stand-in, in whatever
order we hear.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiki_payments.standin import ControlClient, StandInServer
from jiki_payments.stripe_snapshots import EndReason, Interval, SubscriptionSnapshot, read_subscription
from jiki_payments.stripe_states import LocalState, SubscriptionStatus, history_of, reconcile, standing_of

from .conftest import Prices

DAY = 86_400
START = 1_767_225_600  # 2026-01-01
ACTS = (
    "wait a week",
    "wait a month",
    "fail next",
    "go annual",
    "go monthly",
    "cancel",
    "reactivate",
    "pay",
    "end",
)


class Life:
    """One customer on a test clock of their own, and every snapshot taken of their subscription."""

    def __init__(self, client: stripe.StripeClient, control: ControlClient, prices: Prices) -> None:
        self._client, self._control, self._prices = client, control, prices
        self._now = START
        self._clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START}).id
        self._customer = client.v1.customers.create(
            {
                "test_clock": self._clock,
                "payment_method": "pm_card_visa",
                "invoice_settings": {"default_payment_method": "pm_card_visa"},
            }
        ).id
        self._subscription = client.v1.subscriptions.create(
            {
                "customer": self._customer,
                "items": [{"price": prices.monthly}],
                "payment_behavior": "default_incomplete",
            }
        ).id
        self.snapshots: list[SubscriptionSnapshot] = []
        self.look()
        self.act("pay")

    def act(self, name: str) -> None:
        subscription = self._client.v1.subscriptions.retrieve(self._subscription)
        if subscription.ended_at is None:
            self._act(name, subscription)
        self.look()

    def look(self) -> None:
        """Take a snapshot; each a second after the one before."""
        wire = self._client.v1.subscriptions.retrieve(self._subscription, {"expand": ["latest_invoice"]})
        intervals = {self._prices.monthly: Interval.MONTHLY, self._prices.annual: Interval.ANNUAL}
        seen_at = datetime.fromtimestamp(self._now, UTC) + timedelta(seconds=len(self.snapshots))
        self.snapshots.append(read_subscription(wire.to_dict(), intervals, seen_at))

    def _act(self, name: str, subscription: stripe.Subscription) -> None:
        if name.startswith("wait"):
            self._now += (31 if name == "wait a month" else 7) * DAY
            self._client.v1.test_helpers.test_clocks.advance(self._clock, {"frozen_time": self._now})
        elif name == "fail next":
            self._control.fail_next_payments(self._customer, times=2)
        elif name == "pay":
            self._pay(subscription)
        elif name == "end":
            self._client.v1.subscriptions.cancel(subscription.id)
        elif subscription.status == "incomplete":
            return
        elif name.startswith("go"):
            price = self._prices.annual if name == "go annual" else self._prices.monthly
            item = subscription["items"].data[0].id
            self._client.v1.subscriptions.update(
                subscription.id,
                {"items": [{"id": item, "price": price}], "proration_behavior": "always_invoice"},
            )
        else:
            is_cancelling = name == "cancel"
            self._client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": is_cancelling})

    def _pay(self, subscription: stripe.Subscription) -> None:
        invoice = self._client.v1.invoices.retrieve(str(subscription.latest_invoice))
        if invoice.status == "open":
            try:
                self._client.v1.invoices.pay(invoice.id)
            except stripe.CardError:
                return


def told(snapshots: list[SubscriptionSnapshot]) -> LocalState:
    state = LocalState()
    for snapshot in snapshots:
        state = reconcile(snapshot, state).state
    return state


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=14), seed=st.integers())
def test_any_order_of_a_real_life_gives_the_state_of_its_last_answer(
    client: stripe.StripeClient, control: ControlClient, prices: Prices, acts: list[str], seed: int
) -> None:
    life = Life(client, control, prices)
    for name in acts:
        life.act(name)
    dice = random.Random(seed)
    heard = [one for one in life.snapshots for _ in range(dice.randint(1, 3))]
    dice.shuffle(heard)
    state = told(heard)
    assert state == told(life.snapshots)
    assert standing_of(state.records) == standing_of(told([life.snapshots[-1]]).records)


def state_after(client: stripe.StripeClient, control: ControlClient, prices: Prices, *acts: str) -> LocalState:
    life = Life(client, control, prices)
    for name in acts:
        life.act(name)
    return told(life.snapshots)


def test_a_failed_renewal_keeps_premium_for_seven_days_after_what_was_paid(
    client: stripe.StripeClient, control: ControlClient, prices: Prices
) -> None:
    standing = standing_of(state_after(client, control, prices, "fail next", "wait a month").records)
    renewal_due = datetime(2026, 2, 1, tzinfo=UTC)
    assert standing.status is SubscriptionStatus.PAYMENT_FAILED
    assert standing.valid_until == renewal_due
    assert standing.premium_until == standing.grace_period_ends_at == renewal_due + timedelta(days=7)


def test_a_change_of_interval_and_an_end_leave_their_history(
    client: stripe.StripeClient, control: ControlClient, prices: Prices
) -> None:
    state = state_after(client, control, prices, "wait a week", "go annual", "wait a week", "end")
    entries = history_of(state.records)
    assert [(entry.interval, entry.end_reason) for entry in entries] == [
        (Interval.MONTHLY, EndReason.INTERVAL_CHANGED),
        (Interval.ANNUAL, EndReason.CANCELED),
    ]
    assert entries[0].ended_at == entries[1].started_at == datetime(2026, 1, 8, tzinfo=UTC)
    assert state.premium_until is None


def test_an_abandoned_checkout_never_subscribed(
    server: StandInServer,
    client: stripe.StripeClient,
    control: ControlClient,
    prices: Prices,
    open_checkout: Callable[..., stripe.checkout.Session],
) -> None:
    session = control.complete_checkout(open_checkout().id, "declined")
    control.advance(days=1)
    wire = client.v1.subscriptions.retrieve(session["subscription"]).to_dict()
    snapshot = read_subscription(wire, {prices.monthly: Interval.MONTHLY}, datetime.now(UTC))
    status = standing_of(told([snapshot]).records).status
    assert status is SubscriptionStatus.NEVER_SUBSCRIBED
    assert status.may_check_out
