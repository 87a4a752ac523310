"""The events of a subscription's life in random order, repeated, in parallel, some lost: the same end (issue I).

Over real HTTP to the stand-in, with real commits, and the real relay, queues and dispatcher in four workers.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import stripe
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from jiki_auth.testing import make_user, signed_in
from jiki_core.db import reading
from jiki_core.db.outbox import OutboxEntry
from jiki_core.jobs.dispatch import run
from jiki_core.jobs.queues import open_queue
from jiki_core.jobs.relay import relay_once
from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox, wait_until
from jiki_core.testing.pytest_plugin import scale
from jiki_payments.commands.sweep import sweep
from jiki_payments.models import Entitlement, Payment, Refund, Source, Subscription
from jiki_payments.queries.stripe_prices import intervals_by_price
from jiki_payments.standin import ControlClient
from jiki_payments.stripe_gateway import stripe_gateway
from jiki_payments.stripe_snapshots import read_subscription

from .conftest import RETURN_URL, Subscriber, deliver

WORKERS = 4
#: issue I asks for 300; each takes three seconds and more
LIVES = round(300 * scale()) if scale() > 0.1 else 5
ACTS = (
    "a month passes",
    "a month passes",
    "the next payment fails",
    "the open invoice is paid",
    "to annual",
    "to monthly",
    "cancel",
    "reactivate",
    "end",
    "refund",
)


class Life:
    """One subscriber, and what happens to their subscription at Stripe without our doing."""

    def __init__(self, ada: Subscriber) -> None:
        self.ada, self.sdk, self.control = ada, ada.sdk, ada.control
        self.session = ada.open_checkout()
        self.control.complete_checkout(self.session, "declined")
        self.control.complete_checkout(self.session)
        self.subscription = str(self.sdk.v1.checkout.sessions.retrieve(self.session).subscription)

    def act(self, name: str) -> None:
        current = self.sdk.v1.subscriptions.retrieve(self.subscription)
        if name == "refund":
            self._refund(str(current.customer))
        elif current.ended_at is None:
            self._change(name, current)

    def _change(self, name: str, current: stripe.Subscription) -> None:
        update = self.sdk.v1.subscriptions.update
        if name == "a month passes":
            self.control.advance(days=31)
        elif name == "the next payment fails":
            self.control.fail_next_payments(str(current.customer))
        elif name == "the open invoice is paid":
            for invoice in self.sdk.v1.invoices.list({"subscription": self.subscription, "status": "open"}).data:
                with contextlib.suppress(stripe.CardError):
                    self.sdk.v1.invoices.pay(invoice.id)
        elif name in ("cancel", "reactivate"):
            update(self.subscription, {"cancel_at_period_end": name == "cancel"})
        elif name == "end":
            self.sdk.v1.subscriptions.cancel(self.subscription)
        else:
            interval = name.removeprefix("to ")
            item = current["items"].data[0]
            price = next(
                one.id
                for one in self.sdk.v1.prices.list({"limit": 100}).data
                if one.metadata and one.metadata["jiki_interval"] == interval
            )
            update(self.subscription, {"items": [{"id": item.id, "price": price}]})

    def _refund(self, customer: str) -> None:
        for charge in self.sdk.v1.charges.list({"customer": customer}).data:
            if charge.paid and not charge.refunded:
                left = charge.amount - charge.amount_refunded
                self.sdk.v1.refunds.create({"charge": charge.id, "amount": min(left, 1 + charge.amount // 3)})
                return

    def events(self) -> list[bytes]:
        """Everything so far, oldest first."""
        found = list(self.sdk.v1.events.list({"limit": 100}).auto_paging_iter())
        return [json.dumps(event.to_dict(), default=str).encode() for event in reversed(found)]


def in_parallel(app: Flask, payloads: Sequence[bytes], verify: Callable[[], object] | None = None) -> None:
    """Four workers deliver and handle; the web client verifies meanwhile."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for payload in payloads[number::WORKERS]:
                deliver(app, payload).expect(200)
                work_off(app)
            if number == 0 and verify is not None:
                verify()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if failures:
        raise failures[0]
    settle(app)


def work_off(app: Flask) -> None:
    """Relays, and runs what this worker gets of the queue, until it is empty."""
    connection = runtime_of(app).redis
    with app.app_context():
        relay_once(connection)
    queue = open_queue("default", connection)
    while (popped := connection.lpop(queue.key)) is not None:
        job = queue.fetch_job(popped.decode())
        if job is not None:
            with app.app_context():
                run(*job.args)


def settle(app: Flask) -> None:
    """Until every job is done, retries included."""

    def is_done() -> bool:
        drain_outbox(app, including_later=True)
        with app.app_context():
            open_jobs = select(func.count()).where(OutboxEntry.state.not_in(["done", "dead"]))
            return reading().execute(open_jobs).scalar_one() == 0

    wait_until(is_done, seconds=60, what="the end of all jobs")


def at_stripe(life: Life) -> dict[str, Any]:
    """How things are there."""
    invoices = life.sdk.v1.invoices.list({"limit": 100, "status": "paid"}).data
    charges = [charge for charge in life.sdk.v1.charges.list({"limit": 100}).data if charge.paid]
    return {
        "invoices": sorted((invoice.id, invoice.amount_paid) for invoice in invoices),
        "refunded": sum(charge.amount_refunded for charge in charges),
    }


def here(app: Flask, user_id: int) -> dict[str, Any]:
    with app.app_context():
        rows = reading().scalars(select(Payment).where(Payment.user_id == user_id)).all()
        refunded = sum(row.amount_refunded for row in rows)
        refunds = select(func.sum(Refund.amount)).where(Refund.payment_id.in_([row.id for row in rows]))
        assert (reading().execute(refunds).scalar_one() or 0) == refunded
        return {"invoices": sorted((row.stripe_invoice_id, row.amount) for row in rows), "refunded": refunded}


def check_subscription(app: Flask, life: Life) -> None:
    """The row is what Stripe says, and the entitlement is what follows from it."""
    wire = life.sdk.v1.subscriptions.retrieve(life.subscription, {"expand": ["latest_invoice"]}).to_dict()
    with app.app_context():
        user_id = life.ada.user.id
        stored = (
            reading().scalars(select(Subscription).where(Subscription.user_id == user_id)).one().as_record().snapshot
        )
        assert read_subscription(wire, intervals_by_price(), stored.observed_at) == stored
        open_ends = reading().scalars(
            select(Entitlement.expires_at).where(
                Entitlement.user_id == user_id, Entitlement.source == Source.STRIPE, Entitlement.revoked_at.is_(None)
            )
        )
        standing = life.ada.standing()
        assert list(open_ends) == ([standing.premium_until] if standing.premium_until else [])


def mails_of(app: Flask, key: str, email: str) -> int:
    with app.app_context():
        payload = OutboxEntry.payload
        query = select(func.count()).where(payload["key"].astext == key, payload["to"].astext == email)
        return int(reading().execute(query).scalar_one())


@pytest.mark.timeout(120 + LIVES * 8)
@settings(
    max_examples=LIVES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=3, max_size=12), seed=st.integers(0, 2**32))
def test_any_order_any_repeats_any_losses_lead_to_stripes_own_state(
    committed_db: Flask, control: ControlClient, sdk: stripe.StripeClient, acts: list[str], seed: int
) -> None:
    control.reset()
    dice = random.Random(seed)
    user = make_user(committed_db)
    life = Life(Subscriber(committed_db, control, sdk, user, signed_in(committed_db, user)))
    first = life.events()
    dice.shuffle(first)
    in_parallel(committed_db, first + first[:3], lambda: life.ada.verify(life.session))
    middle = dice.randrange(len(acts))
    for act in acts[:middle]:
        life.act(act)
    heard = [payload for payload in life.events() if dice.random() < 0.5]
    dice.shuffle(heard)
    in_parallel(committed_db, heard)
    for act in acts[middle:]:
        life.act(act)
    everything = life.events()
    assert len(everything) >= 12
    heard = [payload for payload in everything for _ in range(dice.choice((0, 1, 1, 2)))]
    dice.shuffle(heard)
    in_parallel(committed_db, heard)
    with committed_db.app_context():
        sweep(stripe_gateway())
    settle(committed_db)
    check_subscription(committed_db, life)
    assert here(committed_db, user.id) == at_stripe(life)
    assert mails_of(committed_db, "payments.welcome_to_premium", user.email) == 1


def test_two_tabs_paying_at_once_end_with_one_customer_and_one_subscription(
    committed_db: Flask, control: ControlClient, sdk: stripe.StripeClient
) -> None:
    user = make_user(committed_db)
    ada = Subscriber(committed_db, control, sdk, user, signed_in(committed_db, user))
    opened: list[int] = []

    def open_one() -> None:
        client = signed_in(committed_db, user)
        body = {"interval": "monthly", "return_url": RETURN_URL}
        opened.append(client.post("internal/subscriptions/checkout_session", body).status)

    threads = [threading.Thread(target=open_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(opened) <= {200, 502}
    ada.subscribe()
    assert ada.me()["membership_type"] == "premium"
