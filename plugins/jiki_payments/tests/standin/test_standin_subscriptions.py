"""A subscription's life through the real SDK: shape, change of interval, cancelling, renewals that fail
and recover.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from jiki_payments.standin import ControlClient

from .conftest import Prices

DAY = 86_400
Subscribe = Callable[..., stripe.Subscription]


def item_of(subscription: stripe.Subscription) -> stripe.SubscriptionItem:
    item = subscription["items"].data[0]
    assert isinstance(item, stripe.SubscriptionItem)
    return item


def change(
    client: stripe.StripeClient, subscription: stripe.Subscription, price: str, **more: object
) -> stripe.Subscription:
    params: Any = {"items": [{"id": item_of(subscription).id, "price": price}], **more}
    return client.v1.subscriptions.update(subscription.id, params)


def totals(client: stripe.StripeClient, subscription: stripe.Subscription) -> list[tuple[int, str]]:
    """Total and status of each invoice, oldest first."""
    invoices = client.v1.invoices.list({"subscription": subscription.id}).data
    return [(invoice.total, str(invoice.status)) for invoice in reversed(invoices)]


def test_the_period_is_on_the_item_as_dahlia_has_it(subscribe: Subscribe) -> None:
    subscription = subscribe()
    assert "current_period_end" not in subscription
    item = item_of(subscription)
    assert 28 * DAY <= item.current_period_end - item.current_period_start <= 31 * DAY
    assert subscription.billing_cycle_anchor == item.current_period_start == subscription.start_date


def test_a_subscription_without_checkout_is_charged_to_the_default_card(
    client: stripe.StripeClient, prices: Prices
) -> None:
    customer = client.v1.customers.create(
        {"payment_method": "pm_card_in", "invoice_settings": {"default_payment_method": "pm_card_in"}}
    )
    subscription = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": prices.monthly}], "currency": "inr"}
    )
    assert (subscription.status, subscription.currency) == ("active", "inr")


@pytest.mark.parametrize("behavior", ["allow_incomplete", "default_incomplete"])
def test_a_declined_first_payment_leaves_it_incomplete(
    client: stripe.StripeClient, prices: Prices, behavior: Any
) -> None:
    customer = client.v1.customers.create({})
    subscription = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": prices.monthly}], "payment_behavior": behavior}
    )
    assert subscription.status == "incomplete"


def test_with_error_if_incomplete_a_declined_first_payment_makes_nothing(
    client: stripe.StripeClient, prices: Prices
) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.CardError):
        client.v1.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": prices.monthly}],
                "payment_behavior": "error_if_incomplete",
            }
        )
    assert client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []


def test_going_annual_credits_the_unused_time_and_starts_a_year(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe, prices: Prices
) -> None:
    subscription = subscribe()
    control.advance(days=10)
    updated = change(client, subscription, prices.annual, proration_behavior="always_invoice")
    item = item_of(updated)
    assert item.price.id == prices.annual
    assert item.current_period_end - item.current_period_start in (365 * DAY, 366 * DAY)
    assert updated.billing_cycle_anchor == item.current_period_start > updated.start_date
    invoice = client.v1.invoices.retrieve(str(updated.latest_invoice))
    credit, charge = [line.amount for line in invoice.lines.data]
    assert charge == 9900
    assert -999 < credit < -600
    assert (invoice.total, invoice.status) == (credit + charge, "paid")
    assert invoice.billing_reason == "subscription_update"


def test_going_monthly_puts_the_difference_on_the_balance_and_renewals_use_it_up(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe, prices: Prices
) -> None:
    subscription = subscribe(price=prices.annual)
    control.advance(days=1)
    updated = change(client, subscription, prices.monthly, proration_behavior="create_prorations")
    invoice = client.v1.invoices.retrieve(str(updated.latest_invoice))
    customer = client.v1.customers.retrieve(str(updated.customer))
    assert invoice.total < 0
    assert (invoice.amount_due, invoice.status) == (0, "paid")
    assert customer.balance == invoice.total == invoice.ending_balance
    control.advance(days=32)
    renewal = client.v1.invoices.list({"subscription": subscription.id, "limit": 1}).data[0]
    assert (renewal.total, renewal.amount_due, renewal.starting_balance) == (999, 0, invoice.total)
    assert client.v1.customers.retrieve(str(updated.customer)).balance == invoice.total + 999


def test_an_event_of_a_change_tells_the_former_items(
    client: stripe.StripeClient, subscribe: Subscribe, prices: Prices
) -> None:
    change(client, subscribe(), prices.annual, proration_behavior="always_invoice")
    event = client.v1.events.list({"type": "customer.subscription.updated", "limit": 1}).data[0]
    assert event.data.previous_attributes is not None
    former = event.data.previous_attributes["items"]["data"][0]
    assert former["price"]["id"] == prices.monthly
    assert event.data.object["items"]["data"][0]["price"]["id"] == prices.annual


def test_with_error_if_incomplete_a_declined_change_changes_nothing(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe, prices: Prices
) -> None:
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer), decline_code="expired_card")
    with pytest.raises(stripe.CardError) as refusal:
        change(
            client,
            subscription,
            prices.annual,
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    assert (refusal.value.code, refusal.value.http_status) == ("expired_card", 402)
    assert item_of(client.v1.subscriptions.retrieve(subscription.id)).price.id == prices.monthly
    assert len(totals(client, subscription)) == 1


def test_a_declined_change_makes_it_past_due(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe, prices: Prices
) -> None:
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer))
    assert change(client, subscription, prices.annual, proration_behavior="always_invoice").status == "past_due"


def test_cancelling_at_the_end_of_the_period_ends_it_then_and_no_sooner(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    subscription = subscribe()
    cancelled = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    end = item_of(cancelled).current_period_end
    assert (cancelled.status, cancelled.cancel_at_period_end, cancelled.cancel_at) == ("active", True, end)
    control.advance(seconds=end - control.now() - 60)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"
    control.advance(seconds=60)
    ended = client.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", end)
    assert len(totals(client, subscription)) == 1
    assert client.v1.events.list({"type": "customer.subscription.deleted"}).data[0].created == end


def test_reactivating_lets_it_renew(client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    again = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (again.cancel_at_period_end, again.cancel_at, again.canceled_at) == (False, None, None)
    control.advance(days=32)
    assert totals(client, subscription) == [(999, "paid"), (999, "paid")]


def test_cancelling_at_once_works_once(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    cancelled = client.v1.subscriptions.cancel(subscription.id)
    assert cancelled.status == "canceled"
    assert cancelled.cancellation_details is not None
    assert cancelled.cancellation_details.reason == "cancellation_requested"
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription") as refusal:
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_it_renews_each_month_on_its_day(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    subscription = subscribe()
    control.advance(days=100)
    assert totals(client, subscription) == [(999, "paid")] * 4
    invoices = client.v1.invoices.list({"subscription": subscription.id}).data
    ends = [invoice.period_end for invoice in invoices]
    assert [invoice.period_start for invoice in invoices[:-1]] == ends[1:]
    assert item_of(client.v1.subscriptions.retrieve(subscription.id)).current_period_end == ends[0]


def test_a_failed_renewal_is_retried_on_schedule_and_then_ends_it(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    subscription = subscribe()
    end = item_of(subscription).current_period_end
    control.fail_next_payments(str(subscription.customer), times=4, decline_code="insufficient_funds")
    control.advance(seconds=end - control.now())
    assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    invoice = client.v1.invoices.list({"subscription": subscription.id, "limit": 1}).data[0]
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 1, end + 3 * DAY)
    control.advance(days=8)
    assert client.v1.invoices.retrieve(invoice.id).attempt_count == 3
    control.advance(days=7)
    ended = client.v1.subscriptions.retrieve(subscription.id)
    assert ended.cancellation_details is not None
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert len(client.v1.events.list({"type": "invoice.payment_failed"}).data) == 4


def test_a_retry_that_succeeds_makes_it_active_again(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer))
    control.advance(days=32)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    control.advance(days=3)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert totals(client, subscription)[-1] == (999, "paid")


def test_an_unpaid_subscription_recovers_when_its_invoice_is_paid(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    control.set_billing(after_last_retry="unpaid")
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer), times=4)
    control.advance(days=31 + 16)
    stored = client.v1.subscriptions.retrieve(subscription.id)
    assert stored.status == "unpaid"
    paid = client.v1.invoices.pay(str(stored.latest_invoice))
    assert paid.status == "paid"
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_paying_with_a_declined_card_says_why(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer))
    control.advance(days=32)
    stored = client.v1.subscriptions.retrieve(subscription.id)
    card = client.v1.payment_methods.attach("pm_card_chargeDeclinedLostCard", {"customer": str(subscription.customer)})
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.invoices.pay(str(stored.latest_invoice), {"payment_method": card.id})
    assert refusal.value.error is not None
    assert refusal.value.error.decline_code == "lost_card"


def test_a_list_leaves_canceled_ones_out_unless_asked(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    client.v1.subscriptions.cancel(subscription.id)
    assert client.v1.subscriptions.list({}).data == []
    assert [one.id for one in client.v1.subscriptions.list({"status": "all"}).data] == [subscription.id]


def test_deleting_a_customer_ends_what_they_pay_for(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    customer = str(subscription.customer)
    assert client.v1.customers.delete(customer).deleted is True
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert client.v1.customers.retrieve(customer).deleted is True
    assert client.v1.customers.list({}).data == []


def test_an_incomplete_subscription_takes_no_change_of_price(client: stripe.StripeClient, prices: Prices) -> None:
    customer = client.v1.customers.create({})
    subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": prices.monthly}]})
    with pytest.raises(stripe.InvalidRequestError, match="incomplete"):
        change(client, subscription, prices.annual)


def test_a_change_of_amount_at_the_same_interval_is_invoiced_with_the_next_renewal(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe, prices: Prices
) -> None:
    product = str(client.v1.prices.retrieve(prices.monthly).product)
    dearer = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1999, "recurring": {"interval": "month"}, "product": product}
    )
    subscription = subscribe()
    changed = change(client, subscription, dearer.id)
    assert changed.latest_invoice == subscription.latest_invoice
    control.advance(days=32)
    renewal = client.v1.invoices.list({"subscription": subscription.id, "limit": 1}).data[0]
    credit, rest, period = [line.amount for line in renewal.lines.data]
    assert period == 1999
    assert -999 <= credit < 0 < rest <= 1999
    assert renewal.total == credit + rest + period


def test_a_change_that_costs_nothing_asks_no_card(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe, prices: Prices
) -> None:
    subscription = subscribe(price=prices.annual)
    control.fail_next_payments(str(subscription.customer))
    changed = change(client, subscription, prices.monthly, payment_behavior="error_if_incomplete")
    assert changed.status == "active"


def test_a_change_the_card_pays_for_is_made(client: stripe.StripeClient, subscribe: Subscribe, prices: Prices) -> None:
    changed = change(client, subscribe(), prices.annual, payment_behavior="error_if_incomplete")
    assert item_of(changed).price.id == prices.annual


def test_while_cancelling_a_change_moves_the_end(
    client: stripe.StripeClient, subscribe: Subscribe, prices: Prices
) -> None:
    subscription = subscribe()
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    changed = change(client, subscription, prices.annual, proration_behavior="always_invoice")
    assert changed.cancel_at == item_of(changed).current_period_end


def test_a_date_to_cancel_at_is_kept(client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    date = control.now() + 5 * DAY
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        client.v1.subscriptions.update(subscription.id, {"cancel_at": date, "cancel_at_period_end": True})
    client.v1.subscriptions.update(subscription.id, {"cancel_at": date})
    control.advance(days=6)
    ended = client.v1.subscriptions.list({"status": "ended"}).data[0]
    assert (ended.id, ended.ended_at) == (subscription.id, date)


def test_why_somebody_left_is_kept(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = client.v1.subscriptions.cancel(
        subscribe().id, {"cancellation_details": {"comment": "bye", "feedback": "unused"}}
    )
    assert subscription.cancellation_details is not None
    assert subscription.cancellation_details.comment == "bye"
    assert subscription.cancellation_details.feedback == "unused"


def test_metadata_and_card_of_a_subscription_are_changed(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    card = client.v1.payment_methods.attach("pm_card_in", {"customer": str(subscription.customer)})
    changed = client.v1.subscriptions.update(
        subscription.id, {"default_payment_method": card.id, "metadata": {"seat": "1"}}
    )
    assert changed.default_payment_method == card.id
    assert changed.metadata.to_dict() == {"user_id": "7", "seat": "1"}
    stranger = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        client.v1.subscriptions.update(subscription.id, {"default_payment_method": stranger.id})


def test_an_unpaid_subscription_gets_drafts_only(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    control.set_billing(after_last_retry="unpaid", retry_days=[1])
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer), times=2)
    control.advance(days=64)
    assert totals(client, subscription) == [(999, "paid"), (999, "open"), (999, "draft")]


def test_an_open_invoice_of_an_ended_subscription_can_be_paid_and_revives_nothing(
    client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe
) -> None:
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer))
    control.advance(days=32)
    invoice = str(client.v1.subscriptions.cancel(subscription.id).latest_invoice)
    assert client.v1.invoices.pay(invoice).status == "paid"
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="only an open one can be paid"):
        client.v1.invoices.pay(invoice)


def test_an_invoice_is_voided_once(client: stripe.StripeClient, control: ControlClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    control.fail_next_payments(str(subscription.customer))
    control.advance(days=32)
    invoice = str(client.v1.subscriptions.retrieve(subscription.id).latest_invoice)
    assert client.v1.invoices.void_invoice(invoice).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="only an open one can be voided"):
        client.v1.invoices.void_invoice(invoice)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "exactly one item"),
        ([{"price": "price_none"}], "No such price"),
    ],
)
def test_a_subscription_is_to_one_price_that_exists(client: stripe.StripeClient, items: Any, message: str) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match=message):
        client.v1.subscriptions.create({"customer": customer.id, "items": items})


def test_a_one_time_price_cannot_be_subscribed_to(client: stripe.StripeClient) -> None:
    once = client.v1.prices.create({"currency": "usd", "unit_amount": 999, "product_data": {"name": "A mug"}})
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="only accepts recurring"):
        client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": once.id}]})


def test_an_item_is_changed_by_its_id(client: stripe.StripeClient, subscribe: Subscribe, prices: Prices) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="name it by its id"):
        client.v1.subscriptions.update(subscribe().id, {"items": [{"price": prices.annual}]})
