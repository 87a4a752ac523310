"""A running stand-in, the real SDK pointed at it, and somewhere for its webhooks to go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from jiki_payments.standin import ControlClient, StandInServer

API_VERSION = "2026-05-27.dahlia"
RETURN_URL = "http://localhost:3061/settings?checkout_session_id={CHECKOUT_SESSION_ID}"


def sdk_client(url: str, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_anything",
        stripe_version=API_VERSION,
        base_addresses={"api": url},
        max_network_retries=retries,
    )


@pytest.fixture(scope="session")
def server() -> Iterator[StandInServer]:
    with StandInServer(webhook_retry_seconds=(0.05, 0.05)) as running:
        yield running


@pytest.fixture
def control(server: StandInServer) -> ControlClient:
    """The stand-in with nothing in it."""
    client = ControlClient(server.url)
    client.reset()
    for endpoint in list(server.state.objects["webhook_endpoint"]):
        del server.state.objects["webhook_endpoint"][endpoint]
    return client


@pytest.fixture
def client(server: StandInServer, control: ControlClient) -> stripe.StripeClient:
    return sdk_client(server.url)


@dataclass(frozen=True, slots=True)
class Prices:
    """The two prices of premium, in usd, inr and jpy."""

    monthly: str
    annual: str


@pytest.fixture
def prices(client: stripe.StripeClient) -> Prices:
    monthly = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 999,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Jiki premium"},
            "lookup_key": "premium_monthly",
            "currency_options": {"inr": {"unit_amount": 19900}, "jpy": {"unit_amount": 949}},
        }
    )
    annual = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 9900,
            "recurring": {"interval": "year"},
            "product": str(monthly.product),
            "lookup_key": "premium_annual",
            "currency_options": {"inr": {"unit_amount": 199900}, "jpy": {"unit_amount": 9499}},
        }
    )
    return Prices(monthly.id, annual.id)


OpenCheckout = Callable[..., stripe.checkout.Session]


@pytest.fixture
def open_checkout(client: stripe.StripeClient, prices: Prices) -> OpenCheckout:
    """Open a session as the plugin does: `open_checkout(price=…, currency=…, customer=…, **more)`."""

    def open_(price: str | None = None, currency: str = "usd", **more: object) -> stripe.checkout.Session:
        if "customer" not in more:
            more.setdefault("customer_email", "ada@example.com")
        params: Any = {
            "ui_mode": "elements",
            "mode": "subscription",
            "line_items": [{"price": price or prices.monthly, "quantity": 1}],
            "currency": currency,
            "return_url": RETURN_URL,
            "metadata": {"user_id": "7"},
            "subscription_data": {"metadata": {"user_id": "7"}},
            **more,
        }
        return client.v1.checkout.sessions.create(params)

    return open_


@pytest.fixture
def subscribe(
    client: stripe.StripeClient, control: ControlClient, open_checkout: OpenCheckout
) -> Callable[..., stripe.Subscription]:
    """Somebody who checked out and paid."""

    def subscribe_(**more: object) -> stripe.Subscription:
        session = open_checkout(**more)
        done = control.complete_checkout(session.id)
        return client.v1.subscriptions.retrieve(done["subscription"])

    return subscribe_


@dataclass
class Receiver:
    """A webhook endpoint over real HTTP that keeps what it gets and answers `status`."""

    url: str = ""
    status: int = 200
    received: list[tuple[bytes, str]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def types(self, secret: str) -> list[str]:
        """The types of the events received, each verified by the real SDK."""
        return [stripe.Webhook.construct_event(body, header, secret)["type"] for body, header in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    box = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with box.arrived:
                box.received.append((body, self.headers["Stripe-Signature"]))
                box.arrived.notify_all()
            self.send_response(box.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box.url = f"http://127.0.0.1:{listener.server_address[1]}/webhooks/stripe"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield box
    listener.shutdown()
    listener.server_close()
    thread.join(5)
