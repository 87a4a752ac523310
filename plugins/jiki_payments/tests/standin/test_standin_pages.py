"""The pages a person uses in development."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
import stripe

from jiki_payments.standin import ControlClient, StandInServer
from jiki_payments.standin.routes.pages import money

from .conftest import OpenCheckout


def submit(url: str, **form: str) -> requests.Response:
    return requests.post(url, data=form, timeout=10, allow_redirects=False)


def page(url: str) -> str:
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (19900, "inr", "199.00 INR"),
        (949, "jpy", "949 JPY"),
        (3000, "kwd", "3.000 KWD"),
        (-50, "usd", "-0.50 USD"),
    ],
)
def test_money_is_shown_in_major_units(amount: int, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


def test_a_person_pays_and_is_led_back(
    server: StandInServer, client: stripe.StripeClient, open_checkout: OpenCheckout
) -> None:
    session = open_checkout(currency="inr")
    url = f"{server.url}/_standin/checkout/{session.id}"
    assert "199.00 INR each month" in page(url)
    answer = submit(url, outcome="paid", card_country="IN", email="ada@example.com")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://localhost:3061/settings?checkout_session_id={session.id}"
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert "is complete" in page(url)


def test_a_declined_person_stays_and_may_try_again(
    server: StandInServer, client: stripe.StripeClient, open_checkout: OpenCheckout
) -> None:
    session = open_checkout()
    url = f"{server.url}/_standin/checkout/{session.id}"
    declined = submit(url, outcome="declined", decline_code="insufficient_funds")
    assert declined.status_code == 402
    assert "did not go through" in declined.text
    assert submit(url, outcome="paid").status_code == 303


def test_a_person_may_leave(server: StandInServer, client: stripe.StripeClient, open_checkout: OpenCheckout) -> None:
    session = open_checkout()
    answer = submit(f"{server.url}/_standin/checkout/{session.id}", outcome="leave")
    assert answer.status_code == 303
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_an_unknown_page_says_so(server: StandInServer) -> None:
    answer = requests.get(f"{server.url}/_standin/checkout/cs_test_none", timeout=10)
    assert answer.status_code == 404
    assert "No such checkout.session" in answer.text


def test_what_others_typed_is_escaped(server: StandInServer, open_checkout: OpenCheckout) -> None:
    session = open_checkout(customer_email='"><script>alert(1)</script>@x.io')
    assert "<script>alert" not in page(f"{server.url}/_standin/checkout/{session.id}")


def test_the_overview_shows_sessions_and_advances_the_clock(
    server: StandInServer, control: ControlClient, subscribe: Callable[..., stripe.Subscription]
) -> None:
    subscription = subscribe()
    overview = page(f"{server.url}/_standin/")
    assert subscription.id in overview
    assert "checkout.session.completed" in overview
    before = control.now()
    assert submit(f"{server.url}/_standin/advance", days="1").status_code == 303
    assert control.now() - before >= 86_400


def test_the_portal_changes_the_card_and_an_open_invoice_is_paid_by_hand(
    server: StandInServer,
    client: stripe.StripeClient,
    control: ControlClient,
    subscribe: Callable[..., stripe.Subscription],
) -> None:
    subscription = subscribe()
    customer = str(subscription.customer)
    configuration = client.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    portal = client.v1.billing_portal.sessions.create(
        {
            "customer": customer,
            "configuration": configuration.id,
            "return_url": "http://localhost:3061/settings",
        }
    )
    assert submit(f"{portal.url}/card", card="pm_card_chargeCustomerFail").status_code == 303
    assert "ending in 0341" in page(portal.url)
    control.advance(days=32)
    stored = client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert stored.status == "past_due"
    assert isinstance(stored.latest_invoice, stripe.Invoice)
    invoice_url = stored.latest_invoice.hosted_invoice_url
    assert invoice_url is not None
    assert submit(invoice_url).status_code == 402
    assert submit(f"{portal.url}/card", card="pm_card_visa").status_code == 303
    assert "This invoice is paid" in submit(invoice_url).text
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_receipt_is_shown(
    server: StandInServer, client: stripe.StripeClient, subscribe: Callable[..., stripe.Subscription]
) -> None:
    charge = client.v1.charges.list({"customer": str(subscribe().customer)}).data[0]
    assert charge.receipt_url is not None
    assert "9.99 USD" in page(charge.receipt_url)
