"""The app against a Stripe stand-in over real HTTP with the real SDK, and people who buy things."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import stripe
from flask import Flask

from jiki_auth.testing import SampleUser, make_user, signed_in
from jiki_core.runtime import runtime_of
from jiki_core.testing import Answer, ApiClient, drain_outbox
from jiki_payments.queries.standings import standings_of
from jiki_payments.standin import ControlClient, StandInServer
from jiki_payments.standin.webhooks import signature_header
from jiki_payments.stripe_gateway import API_VERSION, init_gateway
from jiki_payments.stripe_states import Standing

WEBHOOK_SECRET = "whsec_flows"
RETURN_URL = "http://localhost:3061/settings?checkout_return=true&checkout_session_id={CHECKOUT_SESSION_ID}"


@pytest.fixture(scope="session")
def standin() -> Iterator[StandInServer]:
    with StandInServer(webhook_retry_seconds=(0.05, 0.05, 0.05)) as running:
        yield running


@pytest.fixture(scope="session")
def app(make_app: Callable[..., Flask], standin: StandInServer) -> Flask:
    """The whole app, whose Stripe is the stand-in."""
    return make_app(
        settings={
            "STRIPE_SECRET_KEY": "sk_test_flows",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": standin.url,
            "JIKI_PAYMENTS_STRIPE_TIMEOUT_SECONDS": "5",
            "JIKI_PAYMENTS_STRIPE_RETRIES": "1",
        }
    )


@pytest.fixture(autouse=True)
def control(standin: StandInServer, app: Flask) -> ControlClient:
    """The stand-in with nothing in it, and a gateway that has not failed yet."""
    init_gateway(app, runtime_of(app).plugin_settings["payments"])
    client = ControlClient(standin.url)
    client.reset()
    standin.state.objects["webhook_endpoint"].clear()
    client.set_delivery_mode("auto")
    return client


@pytest.fixture
def sdk(standin: StandInServer) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_anything", stripe_version=API_VERSION, base_addresses={"api": standin.url})


@dataclass
class Subscriber:
    """Somebody signed in, as the web client plays them."""

    app: Flask
    control: ControlClient
    sdk: stripe.StripeClient
    user: SampleUser
    client: ApiClient
    delivered: set[str] = field(default_factory=set)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.client.post(f"internal/subscriptions/{path}", body, **options)

    def open_checkout(self, interval: str | None = "monthly", **options: Any) -> str:
        """Id of the checkout session."""
        body = {"interval": interval, "return_url": RETURN_URL, "customer_email": self.user.email}
        secret = self.post("checkout_session", body, **options).expect(200).body["client_secret"]
        return str(secret.partition("_secret_")[0])

    def verify(self, session: str) -> Answer:
        return self.post("verify_checkout", {"session_id": session})

    def subscribe(self, interval: str = "monthly", country: str = "US", **options: Any) -> str:
        """Checks out, pays and comes back; id of the checkout session."""
        session = self.open_checkout(interval, **options)
        self.control.complete_checkout(session, card_country=country)
        self.verify(session).expect(200)
        return session

    def me(self) -> dict[str, Any]:
        return dict(self.client.get("internal/me").expect(200).body["user"])

    def payments(self) -> list[dict[str, Any]]:
        return list(self.client.get("internal/payments").expect(200).body["payments"])

    def standing(self) -> Standing:
        with self.app.app_context():
            return standings_of([self.user.id])[self.user.id]

    def subscription_id(self) -> str:
        found = self.standing().subscription_id
        assert found is not None
        return found

    def hear(self, *types: str) -> None:
        """Has every event so far (of these types) delivered, oldest first, and handled."""
        events = list(self.sdk.v1.events.list({"limit": 100}).auto_paging_iter())
        for event in reversed(events):
            if event.id not in self.delivered and (not types or event.type in types):
                self.delivered.add(event.id)
                deliver(self.app, json.dumps(event.to_dict(), default=str).encode()).expect(200)
        drain_outbox(self.app)


def deliver(app: Flask, payload: bytes, *, signed_at: int | None = None, secret: str = WEBHOOK_SECRET) -> Answer:
    """Posts a notice as Stripe does."""
    header = signature_header(payload, secret, int(time.time()) if signed_at is None else signed_at)
    headers = {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}
    return ApiClient(app).call("POST", "webhooks/stripe", data=payload, headers=headers)


@pytest.fixture
def make_subscriber(db: Flask, control: ControlClient, sdk: stripe.StripeClient) -> Callable[[], Subscriber]:
    def make() -> Subscriber:
        user = make_user(db)
        return Subscriber(db, control, sdk, user, signed_in(db, user))

    return make


@pytest.fixture
def ada(make_subscriber: Callable[[], Subscriber]) -> Subscriber:
    """One signed-in user who has bought nothing yet."""
    return make_subscriber()
