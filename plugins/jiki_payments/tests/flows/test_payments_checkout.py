"""Checkout and verify (contract.md 2.5, 3.12 and 5)."""

from __future__ import annotations

import pytest

from jiki_core.testing import ApiClient

from .conftest import RETURN_URL

CHECKOUT = {"interval": "monthly", "return_url": RETURN_URL}


def test_a_stranger_may_not_buy(client: ApiClient):
    client.post("internal/subscriptions/checkout_session", CHECKOUT).expect(401, "unauthenticated")


def test_the_sample_of_the_contract(ada):
    body = {**CHECKOUT, "customer_email": ada.user.email}
    answer = ada.post("checkout_session", body).expect(200)
    assert answer.body.keys() == {"client_secret", "meta"}
    assert answer.body["client_secret"].startswith("cs_test_")
    assert "_secret_" in answer.body["client_secret"]


def test_what_stripe_is_asked_for(ada, sdk):
    session = sdk.v1.checkout.sessions.retrieve(ada.open_checkout(), {"expand": ["line_items"]})
    assert (session.ui_mode, session.mode, session.return_url) == ("elements", "subscription", RETURN_URL)
    assert session.metadata["user_id"] == str(ada.user.id)
    assert session.metadata["price_id"] == session.line_items.data[0].price.id
    assert session.customer is None
    assert session.customer_email == ada.user.email


@pytest.mark.parametrize("interval", [None, "monthly", "annual"])
def test_the_interval_is_monthly_unless_said(ada, sdk, interval):
    session = sdk.v1.checkout.sessions.retrieve(ada.open_checkout(interval), {"expand": ["line_items"]})
    wanted = "year" if interval == "annual" else "month"
    assert session.line_items.data[0].price.recurring.interval == wanted


@pytest.mark.parametrize("interval", ["weekly", "", 7, True, ["monthly"], {}])
def test_other_intervals_are_refused(ada, interval):
    ada.post("checkout_session", {**CHECKOUT, "interval": interval}).expect(400, "invalid_interval")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        7,
        "https://evil.example/settings",
        "http://localhost:3062/settings",
        "https://localhost:3061/settings",
        "http://localhost:3061@evil.example/",
        "http://localhost:3061\\@evil.example/",
        "//localhost:3061/settings",
        "javascript:alert(1)",
        "http://localhost:99999/",
    ],
)
def test_a_checkout_returns_to_our_front_end_only(ada, url):
    ada.post("checkout_session", {"interval": "monthly", "return_url": url}).expect(400, "invalid_return_url")


def test_paying_and_coming_back_makes_premium(ada, control):
    session = ada.open_checkout()
    control.complete_checkout(session)
    body = ada.verify(session).expect(200).body
    assert body == {
        "success": True,
        "interval": "monthly",
        "payment_status": "paid",
        "payment_state": "paid",
        "decline_code": None,
        "subscription_status": "active",
        "meta": {"events": []},
    }
    me = ada.me()
    assert me["membership_type"] == "premium"
    assert me["subscription_status"] == "active"
    assert me["subscription"]["interval"] == "monthly"
    assert me["subscription"]["in_grace_period"] is False
    assert me["subscription"]["subscription_valid_until"].endswith("Z")
    assert "." in me["subscription"]["subscription_valid_until"]


def test_verifying_again_changes_nothing(ada, mails):
    session = ada.subscribe()
    ada.verify(session).expect(200)
    ada.hear()
    assert [mail.subject for mail in mails()].count("Welcome to Jiki Premium") == 1
    assert len(ada.payments()) == 1


def test_the_payment_is_in_the_list_at_once(ada):
    ada.subscribe("annual")
    (payment,) = ada.payments()
    assert payment["amount_in_cents"] == 9900
    assert payment["currency"] == "usd"
    assert payment["product"] == "premium"
    assert payment["external_receipt_url"].startswith("http")
    assert payment["paid_at"].endswith("Z")
    assert "." not in payment["paid_at"]


def test_a_declined_payment_says_why_and_may_be_tried_again(ada, control):
    session = ada.open_checkout()
    control.complete_checkout(session, "declined", decline_code="insufficient_funds")
    error = ada.verify(session).expect(422, "checkout_payment_incomplete").error
    assert error == {
        "type": "checkout_payment_incomplete",
        "decline_code": "insufficient_funds",
        "interval": "monthly",
        "currency": "usd",
    }
    control.complete_checkout(session)
    assert ada.verify(session).expect(200).body["subscription_status"] == "active"


@pytest.mark.parametrize("code", ["fraudulent", "stolen_card", "lost_card", "pickup_card"])
def test_a_thief_is_told_no_more_than_that_the_card_was_declined(ada, control, code):
    session = ada.open_checkout()
    control.complete_checkout(session, "declined", decline_code=code)
    assert ada.verify(session).error["decline_code"] == "card_declined"


def test_an_untouched_checkout_is_incomplete(ada):
    error = ada.verify(ada.open_checkout("annual")).expect(422, "checkout_payment_incomplete").error
    assert (error["decline_code"], error["interval"]) == (None, "annual")


def test_a_payment_under_way_is_not_premium_yet(ada, control):
    session = ada.open_checkout()
    control.complete_checkout(session, "processing")
    body = ada.verify(session).expect(200).body
    assert (body["payment_status"], body["payment_state"]) == ("unpaid", "processing")
    assert body["subscription_status"] == "incomplete"
    assert ada.me()["membership_type"] == "standard"


@pytest.mark.parametrize("session", [None, "", "  ", 7])
def test_a_checkout_must_be_named(ada, session):
    ada.post("verify_checkout", {"session_id": session}).expect(400, "missing_session_id")


def test_a_checkout_that_never_was(ada):
    ada.verify("cs_test_nothing").expect(422, "invalid_session")


def test_a_checkout_of_somebody_else(ada, make_subscriber):
    session = ada.open_checkout()
    make_subscriber().verify(session).expect(403, "unauthorized")


def test_who_has_a_subscription_may_not_buy_another(ada):
    ada.subscribe()
    ada.post("checkout_session", CHECKOUT).expect(400, "existing_subscription")


def test_a_second_tab_closes_the_first_checkout(ada, sdk):
    first = ada.open_checkout()
    second = ada.open_checkout()
    assert sdk.v1.checkout.sessions.retrieve(first).status == "expired"
    assert sdk.v1.checkout.sessions.retrieve(second).status == "open"


def test_a_checkout_paid_in_another_tab_is_noticed(ada, control):
    control.complete_checkout(ada.open_checkout())
    ada.post("checkout_session", CHECKOUT).expect(400, "existing_subscription")
    assert ada.me()["membership_type"] == "premium"


def test_an_incomplete_subscription_does_not_lock_the_door(ada, control):
    session = ada.open_checkout()
    control.complete_checkout(session, "declined")
    ada.hear()
    assert ada.me()["subscription_status"] == "incomplete"
    ada.subscribe()
    assert ada.me()["subscription_status"] == "active"


def test_somebody_who_comes_back_keeps_their_customer(ada, control, sdk):
    ada.subscribe()
    customer = ada.standing().customer_id
    sdk.v1.subscriptions.cancel(ada.subscription_id())
    ada.hear()
    assert ada.me()["subscription_status"] == "canceled"
    ada.subscribe()
    assert ada.standing().customer_id == customer
    assert len(sdk.v1.customers.list().data) == 1


def test_the_country_of_the_request_decides_the_currency(ada, sdk):
    session = ada.open_checkout(headers={"CF-IPCountry": "IN"})
    assert sdk.v1.checkout.sessions.retrieve(session).currency == "inr"
    assert ada.me()["premium_prices"] == {
        "currency": "inr",
        "monthly": 19900,
        "annual": 199900,
        "country_code": "IN",
    }


def test_stripe_away_is_said_so_and_nothing_is_changed(ada, control):
    control.arm_fault("status", status=500, path="/v1/checkout/sessions", times=10)
    ada.post("checkout_session", CHECKOUT).expect(502, "payment_provider_unavailable")
    control.disarm_faults()
    ada.open_checkout()


def test_stripe_refusing_is_a_failure_of_ours(ada, control):
    control.arm_fault("status", status=400, path="/v1/checkout/sessions")
    ada.post("checkout_session", CHECKOUT).expect(500, "checkout_failed")


def test_prices_that_stripe_has_forgotten_are_made_again(ada, control):
    ada.open_checkout()
    control.reset()
    ada.open_checkout()
