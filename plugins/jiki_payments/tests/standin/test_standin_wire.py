"""Keys, versions, idempotency and broken connections: what the real SDK meets on the wire."""

from __future__ import annotations

import threading

import pytest
import requests
import stripe

from jiki_payments.standin import ControlClient, StandInServer

from .conftest import API_VERSION, Prices, sdk_client


def test_a_key_is_needed(server: StandInServer) -> None:
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient(
            "sk_live_real", stripe_version=API_VERSION, base_addresses={"api": server.url}
        ).v1.customers.list()


def test_another_api_version_is_refused(server: StandInServer) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="set stripe_version"):
        stripe.StripeClient("sk_test_x", base_addresses={"api": server.url}).v1.customers.list()


def test_an_unknown_url_is_stripes_404(server: StandInServer) -> None:
    answer = requests.get(f"{server.url}/v1/unicorns", timeout=5)
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_missing_object_is_named(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_none'") as refusal:
        client.v1.customers.retrieve("cus_none")
    assert refusal.value.error is not None
    assert refusal.value.error.code == "resource_missing"


def test_the_same_key_with_the_same_parameters_is_the_same_answer(client: stripe.StripeClient) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "once"}
    first = client.v1.customers.create({"email": "ada@example.com"}, options)
    second = client.v1.customers.create({"email": "ada@example.com"}, options)
    assert first.id == second.id
    assert second.last_response is not None
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.customers.list().data) == 1


def test_the_same_key_with_other_parameters_is_refused(client: stripe.StripeClient) -> None:
    client.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "once"})
    with pytest.raises(stripe.IdempotencyError) as refusal:
        client.v1.customers.create({"email": "bob@example.com"}, {"idempotency_key": "once"})
    assert refusal.value.http_status == 400


def test_a_refused_parameter_does_not_use_up_the_key(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"charge": "ch_none"}, {"idempotency_key": "once"})
    assert client.v1.customers.create({}, {"idempotency_key": "once"}).id


def test_a_declined_card_is_declined_again_under_the_same_key(client: stripe.StripeClient, prices: Prices) -> None:
    customer = client.v1.customers.create({})

    def subscribe() -> None:
        client.v1.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": prices.monthly}],
                "payment_behavior": "error_if_incomplete",
            },
            {"idempotency_key": "once"},
        )

    with pytest.raises(stripe.CardError):
        subscribe()
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    with pytest.raises(stripe.CardError):
        subscribe()


def test_parallel_calls_with_one_key_make_one_object(client: stripe.StripeClient) -> None:
    made: list[str] = []

    def create() -> None:
        made.append(client.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "once"}).id)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 8
    assert len(set(made)) == 1


def test_a_lost_reply_and_a_retry_charge_once(server: StandInServer, control: ControlClient, prices: Prices) -> None:
    client = sdk_client(server.url)
    customer = client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    control.arm_fault("drop_reply", path="/v1/subscriptions")

    def subscribe() -> stripe.Subscription:
        return client.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": prices.monthly}]}, {"idempotency_key": "checkout-7"}
        )

    with pytest.raises(stripe.APIConnectionError):
        subscribe()
    assert len(client.v1.charges.list({"customer": customer.id}).data) == 1
    assert subscribe().status == "active"
    assert len(client.v1.charges.list({"customer": customer.id}).data) == 1


def test_the_sdks_own_retry_survives_a_lost_reply(
    server: StandInServer, control: ControlClient, client: stripe.StripeClient
) -> None:
    control.arm_fault("drop_reply", path="/v1/customers")
    made = sdk_client(server.url, retries=2).v1.customers.create({"email": "ada@example.com"})
    assert [one.id for one in client.v1.customers.list().data] == [made.id]


def test_a_refused_connection_does_nothing(control: ControlClient, client: stripe.StripeClient) -> None:
    control.arm_fault("refuse", path="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({})
    assert client.v1.customers.list().data == []


@pytest.mark.parametrize(
    ("status", "error"), [(500, stripe.APIError), (503, stripe.APIError), (429, stripe.RateLimitError)]
)
def test_an_armed_status_is_answered_and_does_nothing(
    control: ControlClient, client: stripe.StripeClient, status: int, error: type[stripe.StripeError]
) -> None:
    control.arm_fault("status", status=status, path="/v1/customers")
    with pytest.raises(error) as refusal:
        client.v1.customers.create({})
    assert refusal.value.http_status == status
    assert client.v1.customers.list().data == []


def test_a_delayed_call_runs_into_the_callers_timeout(control: ControlClient, server: StandInServer) -> None:
    control.arm_fault("delay", seconds=0.5, path="/v1/customers")
    impatient = stripe.StripeClient(
        "sk_test_x",
        stripe_version=API_VERSION,
        base_addresses={"api": server.url},
        http_client=stripe.RequestsClient(timeout=0.1),
        max_network_retries=0,
    )
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.customers.create({})


def test_a_fault_can_be_disarmed_and_hits_only_its_path(control: ControlClient, client: stripe.StripeClient) -> None:
    control.arm_fault("status", path="/v1/products", times=2)
    assert client.v1.customers.create({}).id
    control.disarm_faults()
    assert client.v1.products.create({"name": "Premium"}).id


def test_an_impossible_fault_is_refused(control: ControlClient) -> None:
    with pytest.raises(AssertionError, match="is not a valid FaultKind"):
        control.arm_fault("earthquake")


def test_a_list_is_paged_by_cursors_newest_first(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"email": f"{number}@example.com"}).id for number in range(5)]
    page = client.v1.customers.list({"limit": 2})
    assert ([one.id for one in page.data], page.has_more) == (made[:2:-1], True)
    everything = [one.id for one in client.v1.customers.list({"limit": 2}).auto_paging_iter()]
    assert everything == made[::-1]
    back = client.v1.customers.list({"limit": 2, "ending_before": made[0]})
    assert [one.id for one in back.data] == [made[2], made[1]]


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_has_limits(client: stripe.StripeClient, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="between 1 and 100"):
        client.v1.customers.list({"limit": limit})


def test_what_cannot_be_expanded_is_refused(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.customers.retrieve(customer.id, {"expand": ["email"]})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.customers.retrieve(customer.id, {"expand": ["shoes"]})


def test_no_more_than_four_levels_are_expanded(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        client.v1.checkout.sessions.list({"expand": ["data.subscription.latest_invoice.payments.data"]})
