"""Checkout sessions through the real SDK: every way a customer can leave the form, and what time does to
the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from jiki_payments.standin import ControlClient

from .conftest import RETURN_URL, OpenCheckout, Prices

HOUR = 3600


def first_payment(client: stripe.StripeClient, invoice: str) -> stripe.PaymentIntent:
    payments = client.v1.invoice_payments.list({"invoice": invoice, "expand": ["data.payment.payment_intent"]})
    intent = payments.data[0].payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    return intent


def test_an_elements_session_has_a_client_secret_and_no_page(open_checkout: OpenCheckout) -> None:
    session = open_checkout(currency="inr")
    assert session.client_secret is not None
    assert session.client_secret.startswith(f"{session.id}_secret_")
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.url) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency) == (19900, "inr")
    assert (session.customer, session.subscription) == (None, None)
    assert session.return_url == RETURN_URL


def test_a_hosted_session_leads_to_the_local_page(client: stripe.StripeClient, prices: Prices, server: Any) -> None:
    session = client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": prices.monthly, "quantity": 1}],
            "success_url": "http://localhost/ok",
        }
    )
    assert session.url == f"{server.url}/_standin/checkout/{session.id}"
    assert session.client_secret is None


def test_paying_makes_customer_subscription_invoice_and_charge(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout, prices: Prices
) -> None:
    opened = open_checkout(currency="inr")
    control.complete_checkout(opened.id, card_country="IN")
    session = client.v1.checkout.sessions.retrieve(
        opened.id, {"expand": ["customer", "subscription.latest_invoice", "line_items"]}
    )
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert isinstance(session.customer, stripe.Customer)
    assert session.customer.email == "ada@example.com"
    assert session.line_items is not None
    assert session.line_items.data[0].price is not None
    assert session.line_items.data[0].price.id == prices.monthly
    subscription = session.subscription
    assert isinstance(subscription, stripe.Subscription)
    assert (subscription.status, subscription.currency) == ("active", "inr")
    assert subscription.metadata["user_id"] == "7"
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == (
        "paid",
        19900,
        "subscription_create",
    )
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription.id
    charge = client.v1.charges.list({"customer": session.customer.id}).data[0]
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.country == "IN"
    assert charge.receipt_url is not None


def test_a_declined_card_leaves_the_session_open_with_the_reason_on_the_payment(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> None:
    opened = open_checkout()
    session = control.complete_checkout(opened.id, "declined", decline_code="insufficient_funds")
    assert (session["status"], session["payment_status"]) == ("open", "unpaid")
    assert client.v1.subscriptions.retrieve(session["subscription"]).status == "incomplete"
    intent = first_payment(client, session["invoice"])
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == "insufficient_funds"
    assert intent.last_payment_error.code == "card_declined"


def test_after_a_decline_the_same_session_can_be_paid_and_makes_one_subscription(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> None:
    opened = open_checkout()
    declined = control.complete_checkout(opened.id, "declined")
    paid = control.complete_checkout(opened.id)
    assert paid["subscription"] == declined["subscription"]
    assert paid["payment_status"] == "paid"
    assert len(client.v1.subscriptions.list({"customer": paid["customer"], "status": "all"}).data) == 1


@pytest.mark.parametrize(
    ("is_paid", "payment_status", "subscription_status", "event"),
    [
        (True, "paid", "active", "checkout.session.async_payment_succeeded"),
        (False, "unpaid", "incomplete", "checkout.session.async_payment_failed"),
    ],
)
def test_a_payment_that_is_processing_is_settled_later(
    client: stripe.StripeClient,
    control: ControlClient,
    open_checkout: OpenCheckout,
    is_paid: bool,
    payment_status: str,
    subscription_status: str,
    event: str,
) -> None:
    session = control.complete_checkout(open_checkout().id, "processing")
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    intent = first_payment(client, session["invoice"])
    assert intent.status == "processing"
    control.settle_payment(intent.id, is_paid=is_paid)
    assert client.v1.checkout.sessions.retrieve(session["id"]).payment_status == payment_status
    assert client.v1.subscriptions.retrieve(session["subscription"]).status == subscription_status
    assert client.v1.events.list({"type": event}).data


def test_a_payment_the_bank_wants_to_check_leaves_the_session_open(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> None:
    session = control.complete_checkout(open_checkout().id, "requires_action")
    assert session["status"] == "open"
    assert first_payment(client, session["invoice"]).status == "requires_action"


def test_a_trial_costs_nothing_and_leaves_a_paid_invoice_of_zero(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> None:
    opened = open_checkout(subscription_data={"trial_period_days": 14})
    session = control.complete_checkout(opened.id)
    assert session["payment_status"] == "no_payment_required"
    invoice = client.v1.invoices.retrieve(session["invoice"], {"expand": ["payments"]})
    assert (invoice.total, invoice.status) == (0, "paid")
    assert invoice.payments is not None
    assert invoice.payments.data == []
    assert client.v1.subscriptions.retrieve(session["subscription"]).status == "trialing"
    control.advance(days=15)
    assert client.v1.subscriptions.retrieve(session["subscription"]).status == "active"
    assert [one.total for one in client.v1.invoices.list({"customer": session["customer"]}).data] == [999, 0]


def test_a_session_expires_after_a_day(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> None:
    opened = open_checkout()
    control.advance(seconds=23 * HOUR)
    assert client.v1.checkout.sessions.retrieve(opened.id).status == "open"
    control.advance(seconds=HOUR)
    assert client.v1.checkout.sessions.retrieve(opened.id).status == "expired"
    with pytest.raises(AssertionError, match="expired"):
        control.complete_checkout(opened.id)


def test_an_unpaid_first_invoice_expires_the_subscription_after_23_hours(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> None:
    session = control.complete_checkout(open_checkout().id, "declined")
    control.advance(seconds=23 * HOUR)
    assert client.v1.subscriptions.retrieve(session["subscription"]).status == "incomplete_expired"
    assert client.v1.invoices.retrieve(session["invoice"]).status == "void"
    assert first_payment(client, session["invoice"]).status == "canceled"


def test_a_session_can_be_expired_by_the_api_once(client: stripe.StripeClient, open_checkout: OpenCheckout) -> None:
    opened = open_checkout()
    assert client.v1.checkout.sessions.expire(opened.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="Only an open Checkout Session"):
        client.v1.checkout.sessions.expire(opened.id)


def test_a_known_customer_is_kept_and_updated_when_asked(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> None:
    customer = client.v1.customers.create({"email": "old@example.com"})
    opened = open_checkout(customer=customer.id, customer_update={"address": "auto", "name": "auto"})
    session = control.complete_checkout(opened.id, name="Ada L", card_country="GB")
    assert session["customer"] == customer.id
    updated = client.v1.customers.retrieve(customer.id)
    assert (updated.name, updated.email) == ("Ada L", "old@example.com")
    assert updated.address is not None
    assert updated.address.country == "GB"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "payment"}, "mode"),
        ({"ui_mode": "custom"}, "ui_mode"),
        ({"return_url": None}, "return_url"),
        ({"return_url": "javascript:alert(1)"}, "Not a valid URL"),
        ({"success_url": "http://localhost/"}, "success_url"),
        ({"currency": "eur"}, "only supports inr, jpy, usd"),
        ({"customer_update": {"name": "auto"}}, "customer_update"),
        ({"line_items": []}, "exactly one line item"),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "No such price"),
        ({"expires_at": 1}, "expires_at"),
        ({"discounts": [{"coupon": "free"}]}, "unknown parameter: discounts"),
    ],
)
def test_what_stripe_refuses_is_refused(open_checkout: OpenCheckout, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        open_checkout(**changes)


def test_customer_and_email_exclude_each_other(client: stripe.StripeClient, open_checkout: OpenCheckout) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        open_checkout(customer=customer.id, customer_email="ada@example.com")


def test_the_events_of_a_paid_checkout_come_in_stripes_order(
    client: stripe.StripeClient, subscribe: Callable[..., stripe.Subscription]
) -> None:
    subscribe()
    types = [str(event.type) for event in client.v1.events.list({"limit": 100}).data][::-1]
    expected = [
        "customer.created",
        "invoice.created",
        "invoice.finalized",
        "customer.subscription.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]
    assert [name for name in types if name in expected and types.count(name) == 1] == [
        name for name in expected if types.count(name) == 1
    ]
    created = client.v1.events.list({"type": "customer.subscription.created"}).data[0]
    assert created.data.object["status"] == "incomplete"
    assert created.api_version == "2026-05-27.dahlia"
