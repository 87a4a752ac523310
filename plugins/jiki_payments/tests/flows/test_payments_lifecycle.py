"""What time brings: renewals, failed payments, grace, ends, refunds, disputes (contract.md 3.9, 3.12, 4.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_payments.commands.end_memberships import end_memberships, remind_of_failed_payments
from jiki_payments.models import Dispute, Refund, Source
from jiki_payments.stripe_states import SubscriptionStatus
from jiki_payments.testing import make_premium


def renewal_fails(ada, control):
    """A month goes by, and the card is declined."""
    control.fail_next_payments(ada.standing().customer_id, times=20)
    control.advance(days=32)
    ada.hear()


def run(app, command):
    with app.app_context(), unit_of_work() as uow:
        return command(uow)


def subjects(mails):
    return [mail.subject for mail in mails()]


def test_a_renewal_is_paid_and_recorded(ada, control):
    ada.subscribe()
    before = ada.standing().valid_until
    control.advance(days=32)
    ada.hear()
    assert ada.standing().valid_until > before
    assert len(ada.payments()) == 2


def test_a_failed_renewal_is_told_once_and_leaves_a_week(ada, control, mails):
    ada.subscribe()
    paid_until = ada.standing().valid_until
    renewal_fails(ada, control)
    me = ada.me()
    assert me["subscription_status"] == "payment_failed"
    standing = ada.standing()
    assert standing.valid_until == paid_until
    assert standing.premium_until == paid_until + timedelta(days=7)
    assert subjects(mails).count("Your payment did not go through") == 1


def test_recovery_makes_premium_again(ada, control, sdk):
    ada.subscribe()
    renewal_fails(ada, control)
    control.fail_next_payments(ada.standing().customer_id, times=0)
    invoice = sdk.v1.subscriptions.retrieve(ada.subscription_id()).latest_invoice
    sdk.v1.invoices.pay(invoice)
    ada.hear()
    assert ada.me()["subscription_status"] == "active"
    assert len(ada.payments()) == 2


def test_recovery_after_unpaid_makes_premium_again(ada, control, sdk):
    ada.subscribe()
    control.set_billing(after_last_retry="unpaid")
    control.fail_next_payments(ada.standing().customer_id, times=4)
    control.advance(days=50)
    ada.hear()
    assert ada.standing().stripe_status == "unpaid"
    assert ada.me()["membership_type"] == "standard"
    invoice = sdk.v1.invoices.list({"subscription": ada.subscription_id(), "status": "open"}).data[0]
    sdk.v1.invoices.pay(invoice.id)
    ada.hear()
    assert ada.me()["subscription_status"] == "active"
    assert ada.me()["membership_type"] == "premium"


def test_reminders_follow_the_first_mail_while_the_grace_period_runs(ada, control, mails, db):
    ada.subscribe()
    renewal_fails(ada, control)
    failed_at = ada.standing().payment_failed_at
    sent = []
    for days in (0.1, 2.9, 3.1, 3.2, 6.1, 6.2, 7.5):
        with time_machine.travel(failed_at + timedelta(days=days), tick=False):
            sent.append(run(db, remind_of_failed_payments))
    assert sent == [0, 0, 1, 0, 1, 0, 0]


def test_premium_ends_with_the_grace_period(ada, control, mails, db):
    ada.subscribe()
    make_premium(db, ada.user.id, until=datetime.now(UTC) + timedelta(days=1))
    assert run(db, end_memberships) == 0
    with db.app_context(), unit_of_work() as uow:
        from jiki_payments.commands.grant_entitlement import grant_entitlement

        past = datetime.now(UTC) - timedelta(seconds=1)
        grant_entitlement(uow, ada.user.id, Source.GRANT, expires_at=past)
        grant_entitlement(uow, ada.user.id, Source.STRIPE, expires_at=past)
    assert ada.me()["membership_type"] == "standard"
    assert subjects(mails).count("Your Jiki Premium has ended") == 1


def test_an_entitlement_that_expires_is_announced_by_the_minute_job(ada, mails, db):
    make_premium(db, ada.user.id, until=datetime.now(UTC) + timedelta(milliseconds=200))
    assert ada.me()["membership_type"] == "premium"
    from jiki_core.testing import wait_until

    wait_until(lambda: ada.me()["membership_type"] == "standard", what="the end of premium")
    assert run(db, end_memberships) == 1
    assert run(db, end_memberships) == 0
    assert subjects(mails).count("Your Jiki Premium has ended") == 1


def test_a_grant_keeps_premium_through_a_deletion_at_stripe(ada, sdk, db, mails):
    ada.subscribe()
    make_premium(db, ada.user.id)
    sdk.v1.subscriptions.cancel(ada.subscription_id())
    ada.hear()
    me = ada.me()
    assert (me["subscription_status"], me["membership_type"]) == ("canceled", "premium")
    assert me["subscription"] is None
    assert "Your Jiki Premium has ended" not in subjects(mails)


def test_a_deletion_at_stripe_ends_premium(ada, sdk, mails):
    ada.subscribe()
    sdk.v1.subscriptions.cancel(ada.subscription_id())
    ada.hear()
    assert ada.me()["membership_type"] == "standard"
    assert subjects(mails).count("Your Jiki Premium has ended") == 1


def test_a_cancelled_subscription_ends_by_itself(ada, control):
    ada.subscribe()
    ada.client.delete("internal/subscriptions/cancel").expect(200)
    control.advance(days=32)
    ada.hear()
    assert ada.standing().status is SubscriptionStatus.CANCELED


def test_a_first_payment_that_expires_leaves_nothing(ada, control):
    control.complete_checkout(ada.open_checkout(), "declined")
    control.advance(days=1)
    ada.hear()
    assert ada.me()["subscription_status"] == "never_subscribed"
    ada.subscribe()


def test_a_refund_is_recorded_on_its_payment(ada, sdk, db):
    ada.subscribe()
    charge = sdk.v1.charges.list().data[0]
    sdk.v1.refunds.create({"charge": charge.id, "amount": 400, "reason": "requested_by_customer"})
    ada.hear()
    with db.app_context():
        (refund,) = reading().scalars(select(Refund))
        assert (refund.amount, refund.currency, refund.status) == (400, "usd", "succeeded")
    assert ada.payments()[0]["amount_in_cents"] == 999


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_is_recorded_and_followed(ada, sdk, control, db, outcome):
    ada.subscribe()
    dispute = control.dispute(sdk.v1.charges.list().data[0].id)
    ada.hear()
    with db.app_context():
        assert reading().scalars(select(Dispute)).one().status == "needs_response"
    control.close_dispute(dispute["id"], outcome)
    ada.hear()
    with db.app_context():
        rows = reading().scalars(select(Dispute).execution_options(populate_existing=True))
        assert rows.one().status == outcome
