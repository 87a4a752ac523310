"""Webhooks over real HTTP, verified by the real SDK: order, retries, and a test deciding who hears what
when.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import stripe

from jiki_payments.standin import ControlClient
from jiki_payments.standin.webhooks import signature_header

from .conftest import Receiver


@pytest.fixture
def secret(client: stripe.StripeClient, receiver: Receiver) -> str:
    """Of an endpoint that hears everything."""
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    assert endpoint.secret is not None
    return endpoint.secret


def last_event(client: stripe.StripeClient) -> stripe.Event:
    return client.v1.events.list({"limit": 1}).data[0]


def test_events_arrive_signed_and_in_order(
    control: ControlClient,
    receiver: Receiver,
    secret: str,
    client: stripe.StripeClient,
    subscribe: Callable[..., stripe.Subscription],
) -> None:
    subscribe()
    assert control.wait_for_deliveries()
    happened = [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]
    assert receiver.types(secret) == happened
    assert last_event(client).pending_webhooks == 0


def test_the_signature_is_stripes() -> None:
    header = signature_header(b'{"id": "evt_1"}', "whsec_x", 1_700_000_000)
    stripe.WebhookSignature.verify_header('{"id": "evt_1"}', header, "whsec_x", tolerance=None)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header('{"id": "evt_2"}', header, "whsec_x", tolerance=None)


def test_an_endpoint_hears_only_what_it_asked_for(
    control: ControlClient, client: stripe.StripeClient, receiver: Receiver
) -> None:
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.deleted"]})
    customer = client.v1.customers.create({})
    client.v1.customers.delete(customer.id)
    assert control.wait_for_deliveries()
    assert len(receiver.received) == 1


def test_the_secret_is_shown_once(client: stripe.StripeClient, receiver: Receiver) -> None:
    made = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    assert made.secret
    assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id)


def test_a_refused_delivery_is_retried_until_it_is_taken(
    control: ControlClient, client: stripe.StripeClient, receiver: Receiver, secret: str
) -> None:
    receiver.status = 500
    client.v1.customers.create({})
    with receiver.arrived:
        assert receiver.arrived.wait_for(lambda: len(receiver.received) >= 1, timeout=5)
        receiver.status = 200
        assert receiver.arrived.wait_for(lambda: len(receiver.received) >= 2, timeout=5)
    assert control.wait_for_deliveries()
    (delivery,) = control.deliveries()
    assert delivery["status"] == "succeeded"
    assert delivery["attempts"][0]["status"] == 500
    assert delivery["attempts"][-1]["status"] == 200


def test_a_held_event_waits_and_is_delivered_as_often_as_asked(
    control: ControlClient, client: stripe.StripeClient, receiver: Receiver, secret: str
) -> None:
    control.set_delivery_mode("hold")
    first = client.v1.customers.create({})
    client.v1.customers.update(first.id, {"name": "Ada"})
    updated, created = [event.id for event in client.v1.events.list().data]
    assert receiver.received == []
    for event in (updated, created, updated):
        assert [attempt["status"] for attempt in control.deliver(event)] == [200]
    assert receiver.types(secret) == ["customer.updated", "customer.created", "customer.updated"]


def test_going_back_to_auto_releases_what_was_held(
    control: ControlClient, client: stripe.StripeClient, receiver: Receiver, secret: str
) -> None:
    control.set_delivery_mode("hold")
    client.v1.customers.create({})
    control.set_delivery_mode("auto")
    assert control.wait_for_deliveries()
    assert receiver.types(secret) == ["customer.created"]


def test_a_dropped_event_is_found_in_the_list_of_the_undelivered(
    control: ControlClient, client: stripe.StripeClient, receiver: Receiver, secret: str
) -> None:
    client.v1.customers.create({})
    control.set_delivery_mode("drop")
    client.v1.customers.create({})
    lost = last_event(client)
    control.set_delivery_mode("auto")
    assert control.wait_for_deliveries()
    assert len(receiver.received) == 1
    assert [event.id for event in client.v1.events.list({"delivery_success": False}).data] == [lost.id]


def test_a_failed_delivery_says_what_the_receiver_said(
    control: ControlClient, client: stripe.StripeClient, receiver: Receiver, secret: str
) -> None:
    control.set_delivery_mode("hold")
    client.v1.customers.create({})
    receiver.status = 400
    assert control.deliver(last_event(client).id)[0]["status"] == 400
    assert last_event(client).pending_webhooks == 1


def test_nobody_there_is_a_failed_attempt_not_a_crash(control: ControlClient, client: stripe.StripeClient) -> None:
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    control.set_delivery_mode("hold")
    client.v1.customers.create({})
    (attempt,) = control.deliver(last_event(client).id)
    assert (attempt["status"], attempt["error"]) == (None, "ConnectionError")


def test_the_event_keeps_the_object_as_it_was(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.update(customer.id, {"name": "Bob"})
    updated, created = client.v1.events.list().data
    assert created.data.object["name"] == "Ada"
    assert updated.data.object["name"] == "Bob"
    assert updated.to_dict()["data"]["previous_attributes"] == {"name": "Ada"}


def test_an_update_that_changes_nothing_is_no_event(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.update(customer.id, {"name": "Ada"})
    assert len(client.v1.events.list().data) == 1
