"""The inbox of Stripe's notices (contract.md 2.7, 3.12 and 7.14)."""

from __future__ import annotations

import json
import time

import pytest
from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.testing import ApiClient, drain_outbox
from jiki_payments.models import NoticeState, StripeNotice

from .conftest import WEBHOOK_SECRET, deliver

NOTICE = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.created",
    "created": 1_790_000_000,
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}


def body(**changes):
    return json.dumps({**NOTICE, **changes}).encode()


def notices(app):
    with app.app_context():
        return {row.event_id: row for row in reading().scalars(select(StripeNotice))}


def test_a_signed_notice_is_stored_and_answered_with_nothing(db):
    answer = deliver(db, body()).expect(200)
    assert answer.body is None
    assert notices(db)["evt_1"].state == NoticeState.IGNORED


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, 200), (-290, 200), (290, 200), (-310, 400), (310, 400), (-86_400, 400), (86_400, 400)],
)
def test_the_time_window_holds_both_ways(db, seconds, status):
    deliver(db, body(), signed_at=int(time.time()) + seconds).expect(status)


def test_another_secret_is_refused(db):
    deliver(db, body(), secret="whsec_other").expect(400, "bad_request")
    assert notices(db) == {}


@pytest.mark.parametrize("header", ["", "t=,v1=", "v1=abc", "t=abc,v1=abc", "t=1,t=2,v1=abc", "t=99999999999999"])
def test_junk_signatures_are_refused(db, header):
    headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
    ApiClient(db).call("POST", "webhooks/stripe", data=body(), headers=headers).expect(400, "bad_request")


def test_a_changed_body_is_refused(db):
    from jiki_payments.standin.webhooks import signature_header

    header = signature_header(body(), WEBHOOK_SECRET, int(time.time()))
    headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
    ApiClient(db).call("POST", "webhooks/stripe", data=body() + b" ", headers=headers).expect(400)


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"id": 1}', b'{"id":"evt_1","type":"x"}']
)
def test_what_is_no_event_is_refused_even_when_signed(db, payload):
    deliver(db, payload).expect(400, "bad_request")


def test_a_repeat_is_stored_once_and_handled_once(ada, control):
    control.complete_checkout(ada.open_checkout())
    event = next(e for e in ada.sdk.v1.events.list({"limit": 100}).data if e.type == "invoice.paid")
    payload = json.dumps(event.to_dict(), default=str).encode()
    for _ in range(3):
        deliver(ada.app, payload).expect(200)
    assert drain_outbox(ada.app) >= 1
    assert len(ada.payments()) == 1


def test_an_unknown_kind_is_counted_and_kept(db):
    deliver(db, body(type="moon.landed")).expect(200)
    assert notices(db)["evt_1"].state == NoticeState.UNKNOWN


def test_notices_alone_make_premium(ada, control, mails):
    control.complete_checkout(ada.open_checkout())
    ada.hear()
    assert ada.me()["membership_type"] == "premium"
    assert len(ada.payments()) == 1
    assert {row.state for row in notices(ada.app).values()} == {NoticeState.HANDLED, NoticeState.IGNORED}
    assert [mail.subject for mail in mails()].count("Welcome to Jiki Premium") == 1


def test_a_notice_about_nobody_is_parked(ada, sdk, db):
    price = sdk.v1.prices.create(
        {"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}, "product_data": {"name": "x"}}
    )
    customer = sdk.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    sdk.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    ada.hear("customer.subscription.created", "invoice.paid")
    found = notices(db).values()
    assert {row.state for row in found} == {NoticeState.PARKED}
    assert all("nobody here" in row.reason for row in found)


def test_an_unknown_price_is_parked_without_retries_and_handled_after_the_repair(ada, sdk, db, app):
    price = sdk.v1.prices.create(
        {"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}, "product_data": {"name": "x"}}
    )
    customer = sdk.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    sdk.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "metadata": {"user_id": str(ada.user.id)}}
    )
    ada.hear("customer.subscription.created")
    (parked,) = notices(db).values()
    assert parked.state == NoticeState.PARKED
    assert price.id in parked.reason
    assert ada.me()["membership_type"] == "standard"
    with app.app_context():
        from jiki_core.db import unit_of_work
        from jiki_payments.commands.ensure_stripe_prices import record_stripe_price
        from jiki_payments.stripe_snapshots import Interval

        with unit_of_work() as uow:
            record_stripe_price(uow, price.id, Interval.MONTHLY, "by hand", "")
    result = app.test_cli_runner().invoke(args=["payments", "replay", "--parked"])
    assert result.exit_code == 0, result.output
    drain_outbox(app)
    assert ada.me()["membership_type"] == "premium"
    assert notices(db)[parked.event_id].state == NoticeState.HANDLED


def test_stripe_away_while_handling_is_tried_again(ada, control):
    control.complete_checkout(ada.open_checkout())
    control.arm_fault("status", method="GET", status=500, path="/v1/subscriptions", times=2)
    ada.hear("customer.subscription.created")
    assert ada.me()["membership_type"] == "standard"
    control.disarm_faults()
    drain_outbox(ada.app, including_later=True)
    assert ada.me()["membership_type"] == "premium"
