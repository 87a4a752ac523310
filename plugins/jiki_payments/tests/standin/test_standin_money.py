"""What happens to money after it was taken: refunds, disputes; and the portal, where cards are changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import stripe

from jiki_payments.standin import ControlClient, StandInServer

Subscribe = Callable[..., stripe.Subscription]


@pytest.fixture
def charge(client: stripe.StripeClient, subscribe: Subscribe) -> stripe.Charge:
    return client.v1.charges.list({"customer": str(subscribe().customer)}).data[0]


def test_a_charge_is_refunded_in_part_and_then_whole(client: stripe.StripeClient, charge: stripe.Charge) -> None:
    client.v1.refunds.create({"charge": charge.id, "amount": 400, "reason": "requested_by_customer"})
    half = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (half.amount_refunded, half.refunded) == (400, False)
    assert half.refunds is not None
    assert len(half.refunds.data) == 1
    client.v1.refunds.create({"payment_intent": str(charge.payment_intent)})
    assert client.v1.charges.retrieve(charge.id).refunded is True
    assert [event.type for event in client.v1.events.list({"limit": 2}).data] == [
        "refund.created",
        "charge.refunded",
    ]


def test_no_more_is_given_back_than_was_taken(client: stripe.StripeClient, charge: stripe.Charge) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"charge": charge.id, "amount": 1000})
    client.v1.refunds.create({"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"


def test_a_refund_needs_something_to_refund(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
        client.v1.refunds.create({})


def test_a_dispute_is_opened_and_closed(
    client: stripe.StripeClient, control: ControlClient, charge: stripe.Charge
) -> None:
    opened = control.dispute(charge.id)
    assert client.v1.charges.retrieve(charge.id).disputed is True
    assert client.v1.disputes.retrieve(opened["id"]).status == "needs_response"
    control.close_dispute(opened["id"], "lost")
    assert client.v1.disputes.list({"charge": charge.id}).data[0].status == "lost"
    names = [event.type for event in client.v1.events.list({"limit": 2}).data]
    assert names == ["charge.dispute.closed", "charge.dispute.created"]


def test_the_portal_needs_a_configuration(client: stripe.StripeClient, server: StandInServer) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="No configuration provided"):
        client.v1.billing_portal.sessions.create({"customer": customer.id})
    configuration = client.v1.billing_portal.configurations.create(
        {
            "features": {
                "payment_method_update": {"enabled": True},
                "subscription_update": {"enabled": False},
                "subscription_cancel": {"enabled": False},
            }
        }
    )
    assert configuration.features.subscription_cancel.enabled is False
    assert [one.id for one in client.v1.billing_portal.configurations.list({"active": True}).data] == [configuration.id]
    session = client.v1.billing_portal.sessions.create(
        {"customer": customer.id, "configuration": configuration.id, "return_url": "http://localhost:3061/"}
    )
    assert session.url == f"{server.url}/_standin/portal/{session.id}"


def test_a_customers_cards_are_listed_and_taken_away(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    card = client.v1.payment_methods.attach("pm_card_gb", {"customer": customer.id})
    assert card.card is not None
    assert card.card.country == "GB"
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    assert [one.id for one in client.v1.customers.payment_methods.list(customer.id).data] == [card.id]
    client.v1.payment_methods.detach(card.id)
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    stored = client.v1.customers.retrieve(customer.id)
    assert stored.invoice_settings is not None
    assert stored.invoice_settings.default_payment_method is None


def test_a_card_of_somebody_else_is_no_default(client: stripe.StripeClient) -> None:
    owner, other = client.v1.customers.create({}), client.v1.customers.create({})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner.id})
    with pytest.raises(stripe.InvalidRequestError, match="is not attached to the customer"):
        client.v1.customers.update(other.id, {"invoice_settings": {"default_payment_method": card.id}})


def test_an_unknown_card_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_gold"}})


def test_a_settled_payment_cannot_be_settled_again(
    client: stripe.StripeClient, control: ControlClient, charge: stripe.Charge
) -> None:
    with pytest.raises(AssertionError, match="nothing is open"):
        control.settle_payment(str(charge.payment_intent))


def test_a_card_made_first_is_attached_later(client: stripe.StripeClient) -> None:
    card = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
    with pytest.raises(stripe.InvalidRequestError, match="not attached to a customer"):
        client.v1.payment_methods.detach(card.id)
    customer = client.v1.customers.create({"preferred_locales": ["hu"], "address": {"country": "HU"}})
    assert client.v1.payment_methods.attach(card.id, {"customer": customer.id}).customer == customer.id


def test_nothing_is_attached_to_a_deleted_customer(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    client.v1.customers.delete(customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
