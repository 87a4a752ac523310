"""Interval, cancelling, reactivating, portal (contract.md 2.5 and 3.12)."""

from __future__ import annotations

import pytest


def charges(sdk):
    return [charge for charge in sdk.v1.charges.list({"limit": 100}).data if charge.paid]


def test_from_monthly_to_annual(ada, sdk):
    ada.subscribe()
    body = ada.post("update", {"interval": "annual"}).expect(200).body
    until = body.pop("subscription_valid_until")
    assert body == {"success": True, "interval": "annual", "effective_at": "immediate", "meta": {"events": []}}
    assert until == ada.me()["subscription"]["subscription_valid_until"]
    assert ada.me()["subscription"]["interval"] == "annual"
    assert len(charges(sdk)) == 2
    assert len(ada.payments()) == 2


def test_from_annual_to_monthly(ada, sdk):
    ada.subscribe("annual")
    assert ada.post("update", {"interval": "monthly"}).expect(200).body["interval"] == "monthly"


@pytest.mark.parametrize("interval", [None, "", "weekly", 3])
def test_other_intervals_are_refused(ada, interval):
    ada.post("update", {"interval": interval}).expect(400, "invalid_interval")


def test_the_same_interval_is_refused(ada):
    ada.subscribe()
    ada.post("update", {"interval": "monthly"}).expect(400, "same_interval")


def test_without_a_subscription_there_is_nothing_to_change(ada):
    ada.post("update", {"interval": "annual"}).expect(400, "no_subscription")


def test_a_declined_card_changes_nothing_and_the_next_try_is_a_new_one(ada, control, sdk):
    ada.subscribe()
    control.fail_next_payments(ada.standing().customer_id, decline_code="insufficient_funds")
    error = ada.post("update", {"interval": "annual"}).expect(422, "invalid_request").error
    assert error["decline_code"] == "insufficient_funds"
    assert ada.me()["subscription"]["interval"] == "monthly"
    ada.post("update", {"interval": "annual"}).expect(200)
    assert len(charges(sdk)) == 2


def test_a_lost_answer_is_repeated_without_a_second_charge(ada, control, sdk):
    ada.subscribe()
    control.arm_fault("drop_reply", path="/v1/subscriptions")
    ada.post("update", {"interval": "annual"}).expect(200)
    assert len(charges(sdk)) == 2


def test_when_every_answer_is_lost_the_users_own_retry_charges_nobody_twice(ada, control, sdk):
    ada.subscribe()
    control.arm_fault("drop_reply", path="/v1/subscriptions", times=2)
    ada.post("update", {"interval": "annual"}).expect(502, "payment_provider_unavailable")
    control.disarm_faults()
    assert ada.post("update", {"interval": "annual"}).expect(200).body["interval"] == "annual"
    assert len(charges(sdk)) == 2
    assert ada.me()["subscription"]["interval"] == "annual"


def test_a_checkout_whose_answer_is_lost_is_opened_once(ada, control, sdk):
    control.arm_fault("drop_reply", path="/v1/checkout/sessions")
    ada.open_checkout()
    assert len(sdk.v1.checkout.sessions.list().data) == 1


def test_cancelling_ends_it_when_what_is_paid_is_over(ada):
    ada.subscribe()
    until = ada.me()["subscription"]["subscription_valid_until"]
    body = ada.client.delete("internal/subscriptions/cancel").expect(200).body
    assert body == {"success": True, "cancels_at": until, "meta": {"events": []}}
    me = ada.me()
    assert (me["subscription_status"], me["membership_type"]) == ("cancelling", "premium")


def test_cancelling_again_is_fine(ada):
    ada.subscribe()
    first = ada.client.delete("internal/subscriptions/cancel").body
    assert ada.client.delete("internal/subscriptions/cancel").expect(200).body == first


def test_cancelling_without_a_subscription(ada):
    ada.client.delete("internal/subscriptions/cancel").expect(400, "no_subscription")


def test_cancelling_what_stripe_has_ended_already(ada, sdk):
    ada.subscribe()
    sdk.v1.subscriptions.cancel(ada.subscription_id())
    body = ada.client.delete("internal/subscriptions/cancel").expect(200).body
    assert body["success"] is True
    assert ada.me()["subscription_status"] == "canceled"


def test_cancelling_while_stripe_is_away(ada, control):
    ada.subscribe()
    control.arm_fault("refuse", path="/v1/subscriptions", times=10)
    ada.client.delete("internal/subscriptions/cancel").expect(502, "payment_provider_unavailable")
    assert ada.me()["subscription_status"] == "active"


def test_reactivating_takes_it_back(ada):
    ada.subscribe()
    until = ada.me()["subscription"]["subscription_valid_until"]
    ada.client.delete("internal/subscriptions/cancel").expect(200)
    body = ada.post("reactivate").expect(200).body
    assert body == {"success": True, "subscription_valid_until": until, "meta": {"events": []}}
    assert ada.me()["subscription_status"] == "active"


def test_reactivating_what_is_not_ending(ada):
    ada.subscribe()
    ada.post("reactivate").expect(400, "not_cancelling")


def test_reactivating_without_a_subscription(ada):
    ada.post("reactivate").expect(400, "no_subscription")


def test_cancelling_and_reactivating_repeatedly(ada):
    ada.subscribe()
    for _ in range(3):
        ada.client.delete("internal/subscriptions/cancel").expect(200)
        assert ada.me()["subscription_status"] == "cancelling"
        ada.post("reactivate").expect(200)
        assert ada.me()["subscription_status"] == "active"


def test_the_portal_shows_cards_and_invoices_only(ada, sdk):
    ada.subscribe()
    body = ada.post("portal_session").expect(200).body
    assert body["url"].startswith("http")
    ada.post("portal_session").expect(200)
    (configuration,) = sdk.v1.billing_portal.configurations.list().data
    assert configuration.features.subscription_cancel.enabled in (False, "false")
    assert configuration.features.subscription_update.enabled in (False, "false")


def test_no_portal_for_those_who_never_bought(ada):
    ada.post("portal_session").expect(400, "no_customer")


def test_a_stripe_that_keeps_failing_is_left_alone(ada, control, sdk):
    ada.subscribe()
    control.arm_fault("status", status=500, method="POST", path="/v1/billing_portal", times=100)
    control.arm_fault("status", status=500, method="GET", path="/v1/billing_portal", times=100)
    for _ in range(6):
        ada.post("portal_session").expect(502, "payment_provider_unavailable")
    control.disarm_faults()
    ada.post("portal_session").expect(502, "payment_provider_unavailable")
