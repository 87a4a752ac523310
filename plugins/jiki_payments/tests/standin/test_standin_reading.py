"""Everything that is made can be read again, alone and in lists with filters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
import stripe

from jiki_payments.standin import ControlClient, StandInServer

from .conftest import Receiver

Subscribe = Callable[..., stripe.Subscription]


def test_the_account_answers(client: stripe.StripeClient, server: StandInServer) -> None:
    answer = client.raw_request("get", "/v1/account")
    assert answer.data["charges_enabled"] is True
    assert requests.get(f"{server.url}/_standin/health", timeout=5).json() == {"ready": True}


def test_what_a_payment_made_is_read_one_by_one(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    invoice = client.v1.invoices.retrieve(str(subscription.latest_invoice))
    (payment,) = client.v1.invoice_payments.list({"invoice": invoice.id, "status": "paid"}).data
    assert client.v1.invoice_payments.retrieve(payment.id).amount_paid == 999
    intent = client.v1.payment_intents.retrieve(str(payment.payment.payment_intent))
    assert client.v1.payment_intents.list({"customer": str(subscription.customer)}).data[0].id == intent.id
    method = client.v1.payment_methods.retrieve(str(intent.payment_method))
    assert client.v1.payment_methods.list({"customer": str(subscription.customer)}).data[0].id == method.id
    assert subscription.default_payment_method == method.id
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert [one.id for one in client.v1.refunds.list({"payment_intent": intent.id}).data] == [refund.id]


def test_a_customer_is_read_with_what_they_subscribed_to(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    customer = client.v1.customers.retrieve(str(subscription.customer), {"expand": ["subscriptions"]})
    assert customer.subscriptions is not None
    assert [one.id for one in customer.subscriptions.data] == [subscription.id]
    assert client.v1.customers.list({"email": "nobody@example.com"}).data == []


def test_a_session_is_found_by_its_subscription(client: stripe.StripeClient, subscribe: Subscribe) -> None:
    subscription = subscribe()
    (session,) = client.v1.checkout.sessions.list({"subscription": subscription.id, "status": "complete"}).data
    (line,) = client.v1.checkout.sessions.line_items.list(session.id).data
    assert line.amount_total == 999
    updated = client.v1.checkout.sessions.update(session.id, {"metadata": {"seen": "1"}})
    assert updated.to_dict()["metadata"] == {"user_id": "7", "seen": "1"}


@pytest.mark.parametrize(("bound", "found"), [("gte", 1), ("lte", 1), ("gt", 0), ("lt", 0)])
def test_a_list_is_bounded_by_time(client: stripe.StripeClient, bound: str, found: int) -> None:
    made = client.v1.customers.create({}).created
    answer = client.raw_request("get", f"/v1/customers?created[{bound}]={made}")
    assert len(answer.data["data"]) == found


def test_a_cursor_that_points_nowhere_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such object"):
        client.v1.customers.list({"starting_after": "cus_none"})


def test_events_are_read_by_id_and_by_pattern(client: stripe.StripeClient) -> None:
    client.v1.customers.create({})
    client.v1.products.create({"name": "Premium", "active": False})
    (event,) = client.v1.events.list({"type": "customer.*"}).data
    assert client.v1.events.retrieve(event.id).type == "customer.created"
    assert len(client.v1.events.list({"types": ["product.created"]}).data) == 1
    (product,) = client.v1.products.list({"active": False}).data
    assert client.v1.products.retrieve(product.id).name == "Premium"


def test_a_webhook_endpoint_is_changed_silenced_and_removed(
    control: ControlClient, client: stripe.StripeClient, receiver: Receiver
) -> None:
    made = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    changed = client.v1.webhook_endpoints.update(made.id, {"disabled": True, "enabled_events": ["price.created"]})
    assert (changed.status, changed.enabled_events) == ("disabled", ["price.created"])
    client.v1.products.create({"name": "Premium"})
    assert control.wait_for_deliveries()
    assert receiver.received == []
    assert [one.id for one in client.v1.webhook_endpoints.list().data] == [made.id]
    assert client.v1.webhook_endpoints.delete(made.id).deleted is True
    assert client.v1.webhook_endpoints.list().data == []


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("url=http://localhost/", "enabled_events"),
        ("url=http://localhost/&enabled_events[0]=*&api_version=2020-08-27", "2026-05-27.dahlia only"),
    ],
)
def test_an_endpoint_that_would_hear_nothing_or_another_version_is_refused(
    server: StandInServer, form: str, message: str
) -> None:
    answer = requests.post(
        f"{server.url}/v1/webhook_endpoints",
        data=form,
        headers={"Authorization": "Bearer sk_test_x"},
        timeout=5,
    )
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_a_portal_configuration_is_changed(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="features"):
        client.v1.billing_portal.configurations.create({"features": {}})
    made = client.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    client.v1.billing_portal.configurations.update(
        made.id, {"active": False, "features": {"payment_method_update": {"enabled": True}}}
    )
    stored = client.v1.billing_portal.configurations.retrieve(made.id)
    assert stored.active is False
    assert stored.features.invoice_history.enabled is True
    assert stored.features.payment_method_update.enabled is True


def test_a_test_clock_is_read(client: stripe.StripeClient) -> None:
    made = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_000_000, "name": "spring"})
    assert client.v1.test_helpers.test_clocks.retrieve(made.id).name == "spring"
    assert [one.id for one in client.v1.test_helpers.test_clocks.list().data] == [made.id]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("settings", {"after_last_retry": "forgive"}, "cancel, unpaid or past_due"),
        ("settings", {"mood": "good"}, "Unknown member: mood"),
        ("settings", ["cancel"], "must be a JSON object"),
        ("clock/advance", {"to": 5}, "time is only advanced"),
        ("checkout/cs_test_none/complete", {}, "No such checkout.session"),
        ("disputes/dp_none/close", {"status": "lost"}, "No such dispute"),
        ("disputes/dp_none/close", {"status": "drawn"}, "won or lost"),
        ("deliveries/mode", {"mode": "fast"}, "is not a valid Mode"),
    ],
)
def test_an_impossible_control_call_is_refused(
    control: ControlClient, server: StandInServer, path: str, body: object, message: str
) -> None:
    answer = requests.post(f"{server.url}/_standin/{path}", json=body, timeout=5)
    assert answer.status_code in (400, 404)
    assert message in answer.json()["error"]["message"]
