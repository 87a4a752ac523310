"""Reading a Stripe subscription of API 2026-05-27.dahlia into a snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jiki_payments.stripe_snapshots import (
    EndReason,
    Interval,
    StripeStatus,
    UnreadableSubscription,
    read_subscription,
)

PRICES = {"price_m": Interval.MONTHLY, "price_a": Interval.ANNUAL}
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
DAY = 86_400
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def subscription(price: str = "price_m", **changes: Any) -> dict[str, Any]:
    item = {
        "id": "si_1",
        "price": {"id": price},
        "current_period_start": START + 31 * DAY,
        "current_period_end": START + 59 * DAY,
    }
    return {
        "id": "sub_1",
        "customer": "cus_1",
        "status": "active",
        "currency": "eur",
        "created": START,
        "start_date": START,
        "billing_cycle_anchor": START,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "cancellation_details": {"reason": None},
        "latest_invoice": "in_1",
        "items": {"data": [item]},
        **changes,
    }


def day(number: int) -> datetime:
    return datetime.fromtimestamp(START + number * DAY, UTC)


def test_the_period_is_read_from_the_item() -> None:
    snapshot = read_subscription(subscription(), PRICES, NOW)
    assert (snapshot.period_start, snapshot.period_end) == (day(31), day(59))
    assert (snapshot.interval, snapshot.price_id) == (Interval.MONTHLY, "price_m")
    assert snapshot.observed_at == NOW


def test_a_price_we_do_not_sell_has_no_interval() -> None:
    snapshot = read_subscription(subscription(price="price_old"), PRICES, NOW)
    assert (snapshot.interval, snapshot.price_id) == (None, "price_old")


def test_a_subscription_without_items_has_no_price() -> None:
    snapshot = read_subscription(subscription(items={"data": []}), PRICES, NOW)
    assert (snapshot.price_id, snapshot.period_end) == (None, None)


def test_an_expanded_customer_is_read_by_its_id() -> None:
    snapshot = read_subscription(subscription(customer={"id": "cus_9", "object": "customer"}), PRICES, NOW)
    assert snapshot.customer_id == "cus_9"


@pytest.mark.parametrize(
    ("changes", "cancels_at"),
    [
        ({}, None),
        ({"cancel_at_period_end": True}, day(59)),
        ({"cancel_at": START + 40 * DAY}, day(40)),
        ({"cancel_at": START + 59 * DAY, "cancel_at_period_end": True}, day(59)),
    ],
)
def test_both_ways_of_cancelling_give_one_date(changes: dict[str, Any], cancels_at: datetime | None) -> None:
    assert read_subscription(subscription(**changes), PRICES, NOW).cancels_at == cancels_at


@pytest.mark.parametrize(
    ("anchor_day", "since_day"),
    [(0, 0), (31, 31), (-3, 0), (1000, 0)],
    ids=["never changed", "interval changed", "anchored before the start", "trial still running"],
)
def test_the_interval_is_in_force_since_the_anchor_moved(anchor_day: int, since_day: int) -> None:
    wire = subscription(billing_cycle_anchor=START + anchor_day * DAY)
    assert read_subscription(wire, PRICES, NOW).interval_since == day(since_day)


@pytest.mark.parametrize(
    ("status", "reason", "end_reason"),
    [
        ("active", None, None),
        ("canceled", "payment_failed", EndReason.PAYMENT_FAILED),
        ("canceled", "cancellation_requested", EndReason.CANCELED),
        ("canceled", "payment_disputed", EndReason.CANCELED),
        ("incomplete_expired", "payment_failed", None),
    ],
)
def test_the_end_reason_is_failed_payment_or_canceled(
    status: str, reason: str | None, end_reason: EndReason | None
) -> None:
    wire = subscription(status=status, cancellation_details={"reason": reason})
    assert read_subscription(wire, PRICES, NOW).end_reason is end_reason


@pytest.mark.parametrize(
    ("status", "invoice", "failed_at"),
    [
        ("active", {"created": START + 32 * DAY}, None),
        ("past_due", {"created": START + 32 * DAY}, day(32)),
        ("past_due", "in_1", day(31)),
        ("unpaid", None, day(31)),
    ],
)
def test_a_payment_failed_when_its_invoice_was_made(status: str, invoice: object, failed_at: datetime | None) -> None:
    wire = subscription(status=status, latest_invoice=invoice)
    assert read_subscription(wire, PRICES, NOW).payment_failed_at == failed_at


@pytest.mark.parametrize("status", list(StripeStatus))
def test_every_status_of_stripe_is_read(status: StripeStatus) -> None:
    assert read_subscription(subscription(status=status.value), PRICES, NOW).status is status


@pytest.mark.parametrize(
    "broken",
    [
        subscription(status="hibernating"),
        subscription(items={"data": [{"id": "si_1", "price": {"id": "price_m"}}]}),
        subscription(start_date=None),
        {"object": "error"},
    ],
    ids=["unknown status", "period not on the item", "no start", "not a subscription"],
)
def test_what_this_version_does_not_describe_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(UnreadableSubscription, match="is the API version pinned"):
        read_subscription(broken, PRICES, NOW)


def test_times_are_aware() -> None:
    assert read_subscription(subscription(), PRICES, NOW).created_at.utcoffset() == timedelta(0)
