"""The card's country must agree with the price's; else the subscription moves (contract.md section 1, PPP)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.testing import drain_outbox
from jiki_payments.models import MoveState, PriceMove

INDIA = {"CF-IPCountry": "IN"}


def move(app):
    with app.app_context():
        return reading().scalars(select(PriceMove).execution_options(populate_existing=True)).one_or_none()


def live(sdk):
    return sdk.v1.subscriptions.list({"limit": 100}).data


def test_a_card_of_the_country_keeps_the_price(ada, db):
    ada.subscribe(country="IN", headers=INDIA)
    drain_outbox(db)
    assert move(db) is None
    assert ada.payments()[0]["currency"] == "inr"


def test_the_standard_price_is_open_to_every_card(ada, db):
    ada.subscribe(country="IN")
    assert move(db) is None


@pytest.mark.parametrize("interval", ["monthly", "annual"])
def test_a_card_of_another_country_moves_to_the_standard_price_after_what_was_paid(ada, sdk, db, mails, interval):
    ada.subscribe(interval, country="US", headers=INDIA)
    paid_until = ada.standing().valid_until
    old = ada.subscription_id()
    drain_outbox(db)
    assert move(db).state == MoveState.DONE
    (subscription,) = live(sdk)
    assert (subscription.currency, subscription.status) == ("usd", "trialing")
    assert subscription.metadata["moved_from"] == old
    me = ada.me()
    assert (me["membership_type"], me["subscription_status"]) == ("premium", "active")
    assert me["premium_prices"]["currency"] == "usd"
    assert 0 <= (ada.standing().valid_until - paid_until).total_seconds() <= 86_400
    assert sum(charge.paid for charge in sdk.v1.charges.list().data) == 1
    subjects = [mail.subject for mail in mails()]
    assert subjects.count("The price of your Jiki Premium") == 1
    assert "Your Jiki Premium has ended" not in subjects
    assert subjects.count("Welcome to Jiki Premium") == 1


def test_the_first_charge_of_the_new_price_comes_when_the_paid_time_is_over(ada, sdk, db, control):
    ada.subscribe(country="US", headers=INDIA)
    drain_outbox(db)
    control.advance(days=33)
    ada.hear()
    assert [payment["currency"] for payment in ada.payments() if payment["amount_in_cents"]] == ["usd", "inr"]
    assert ada.standing().status == "active"


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/subscriptions/"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("kind", ["drop_reply", "refuse"])
def test_whatever_breaks_on_the_way_is_made_up_for(ada, sdk, db, control, kind, method, path):
    ada.subscribe(country="US", headers=INDIA)
    control.arm_fault(kind, method=method, path=path, times=2)
    drain_outbox(db)
    control.disarm_faults()
    drain_outbox(db, including_later=True)
    ada.hear()
    assert move(db).state == MoveState.DONE
    assert [one.currency for one in live(sdk)] == ["usd"]
    assert ada.me()["membership_type"] == "premium"


def test_a_subscription_that_ended_before_we_could_is_left_alone(ada, sdk, db):
    ada.subscribe(country="US", headers=INDIA)
    sdk.v1.subscriptions.cancel(ada.subscription_id())
    drain_outbox(db)
    assert move(db).state == MoveState.MOOT
    assert live(sdk) == []


def test_every_decision_is_kept_with_its_evidence(ada, app, db):
    ada.subscribe(country="US", headers=INDIA)
    drain_outbox(db)
    output = app.test_cli_runner().invoke(args=["payments", "why-price", str(ada.user.id)]).output
    assert "checkout: inr, country IN, because of header" in output
    assert "card: usd, country none, because of card (card_country=US" in output
    assert "from inr to usd, card from US: done" in output
