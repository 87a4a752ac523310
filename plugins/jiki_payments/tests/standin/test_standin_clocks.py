"""Time: calendar periods, everybody's clock, and test clocks that do not touch each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from jiki_payments.standin import ControlClient
from jiki_payments.standin.billing.periods import boundary, next_boundary, unused_share
from jiki_payments.standin.clock import Clock

from .conftest import Prices


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "number", "moment"),
    [
        ("2026-01-31T12:00", "month", 1, 1, "2026-02-28T12:00"),
        ("2026-01-31T12:00", "month", 1, 2, "2026-03-31T12:00"),
        ("2026-11-15T00:00", "month", 3, 1, "2027-02-15T00:00"),
        ("2024-02-29T08:00", "year", 1, 1, "2025-02-28T08:00"),
        ("2024-02-29T08:00", "year", 1, 4, "2028-02-29T08:00"),
        ("2026-01-01T00:00", "week", 2, 1, "2026-01-15T00:00"),
        ("2026-01-01T00:00", "day", 1, 40, "2026-02-10T00:00"),
    ],
)
def test_periods_keep_the_anchors_day(anchor: str, interval: str, count: int, number: int, moment: str) -> None:
    assert boundary(seconds(anchor), interval, count, number) == seconds(moment)


@given(st.integers(0, 2_000_000_000), st.sampled_from(["day", "week", "month", "year"]), st.integers(0, 3))
def test_the_next_boundary_is_later_and_the_first_one(anchor: int, interval: str, passed: int) -> None:
    after = boundary(anchor, interval, 1, passed) if passed else anchor
    following = next_boundary(anchor, interval, 1, after)
    assert following == boundary(anchor, interval, 1, passed + 1) > after


@pytest.mark.parametrize(("now", "share"), [(0, 1000), (25, 750), (50, 500), (100, 0), (200, 0), (-50, 1000)])
def test_the_unused_share_shrinks_with_time(now: int, share: int) -> None:
    assert unused_share(1000, 0, 100, now) == share


def test_time_is_only_advanced() -> None:
    clock = Clock(wall=lambda: 1000.0)
    clock.move_to(1500)
    assert clock.now() == 1500
    with pytest.raises(ValueError, match="time is only advanced"):
        clock.move_to(1400)


def test_a_moment_replayed_is_the_time_within_it() -> None:
    clock = Clock(wall=lambda: 1000.0)
    with clock.at(700, None):
        assert clock.now() == 700
    assert clock.now() == 1000


def test_everybodys_clock_is_advanced(control: ControlClient, client: stripe.StripeClient) -> None:
    before = control.now()
    assert control.advance(days=2) - before in range(2 * 86_400, 2 * 86_400 + 5)
    assert client.v1.customers.create({}).created >= before + 2 * 86_400


def test_a_test_clock_moves_only_its_customers(client: stripe.StripeClient, prices: Prices) -> None:
    start = seconds("2026-01-31T12:00")
    clocks = [client.v1.test_helpers.test_clocks.create({"frozen_time": start}) for _ in range(2)]
    subscriptions = []
    for clock in clocks:
        customer = client.v1.customers.create(
            {
                "test_clock": clock.id,
                "payment_method": "pm_card_visa",
                "invoice_settings": {"default_payment_method": "pm_card_visa"},
            }
        )
        subscriptions.append(
            client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": prices.monthly}]})
        )
    advanced = client.v1.test_helpers.test_clocks.advance(clocks[0].id, {"frozen_time": seconds("2026-03-31T12:00")})
    assert (advanced.status, advanced.frozen_time) == ("ready", seconds("2026-03-31T12:00"))
    moved, still = (client.v1.subscriptions.retrieve(one.id) for one in subscriptions)
    assert moved["items"].data[0].current_period_end == seconds("2026-04-30T12:00")
    assert still["items"].data[0].current_period_end == seconds("2026-02-28T12:00")
    paid = [one.created for one in client.v1.invoices.list({"subscription": moved.id}).data]
    assert paid == [seconds("2026-03-31T12:00"), seconds("2026-02-28T12:00"), start]


def test_a_test_clock_does_not_go_back(client: stripe.StripeClient) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_000_000})
    with pytest.raises(stripe.InvalidRequestError, match="later"):
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 999_999})


def test_a_deleted_test_clock_takes_its_customers_along(client: stripe.StripeClient) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_000_000})
    gone = client.v1.customers.create({"test_clock": clock.id})
    stays = client.v1.customers.create({})
    client.v1.test_helpers.test_clocks.delete(clock.id)
    assert [one.id for one in client.v1.customers.list().data] == [stays.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.retrieve(gone.id)


def test_a_test_clock_needs_a_time(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="frozen_time"):
        client.raw_request("post", "/v1/test_helpers/test_clocks")
