"""What no notice told: gaps, the nightly sweep, rebuilding after a purge, deleting accounts, reports."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from jiki_auth.contracts import AccountDeletion
from jiki_core.contracts import ask
from jiki_core.db import reading, unit_of_work
from jiki_core.testing import drain_outbox
from jiki_payments.commands.sweep import sweep
from jiki_payments.models import ALL_MODELS, Dispute, Refund
from jiki_payments.stripe_gateway import stripe_gateway


@pytest.fixture
def run(app):
    def invoke(*arguments):
        result = app.test_cli_runner().invoke(args=["payments", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


def swept(app):
    with app.app_context():
        found = sweep(stripe_gateway())
    drain_outbox(app)
    return found


def test_a_subscription_nobody_told_of_is_found(ada, control, db, mails):
    control.set_delivery_mode("drop")
    control.complete_checkout(ada.open_checkout())
    found = swept(db)
    assert found.subscriptions == 1
    assert found.notices > 1
    assert ada.me()["membership_type"] == "premium"
    assert len(ada.payments()) == 1
    assert [mail.subject for mail in mails()].count("Welcome to Jiki Premium") == 1


def test_a_sweep_that_finds_nothing_changes_nothing(ada, db):
    ada.subscribe()
    swept(db)
    again = swept(db)
    assert (again.notices, again.subscriptions, again.retried) == (0, 0, 0)


def test_a_renewal_nobody_told_of_is_found(ada, control, db):
    ada.subscribe()
    before = ada.standing().valid_until
    control.advance(days=32)
    swept(db)
    assert ada.standing().valid_until > before
    assert len(ada.payments()) == 2


def test_the_nightly_job_runs_the_sweep(ada, control, db):
    from jiki_payments.jobs import sweep_stripe

    control.complete_checkout(ada.open_checkout())
    with db.app_context(), unit_of_work() as uow:
        uow.enqueue(sweep_stripe)
    drain_outbox(db)
    assert ada.me()["membership_type"] == "premium"


def test_purged_and_rebuilt_everything_is_as_before(ada, make_subscriber, sdk, control, db, run, mails):
    eve = make_subscriber()
    ada.subscribe("annual", country="IN", headers={"CF-IPCountry": "IN"})
    eve.subscribe()
    sdk.v1.subscriptions.cancel(eve.subscription_id())
    charge = next(one for one in sdk.v1.charges.list().data if one.customer == ada.standing().customer_id)
    sdk.v1.refunds.create({"charge": charge.id, "amount": 100})
    control.dispute(charge.id)
    ada.hear()
    control.advance(days=1)

    def everything():
        with db.app_context():
            books = (len(list(reading().scalars(select(Refund)))), len(list(reading().scalars(select(Dispute)))))
        rows = [[{**one, "id": None} for one in who.payments()] for who in (ada, eve)]
        shown = [(who.me()["subscription_status"], who.me()["subscription"]) for who in (ada, eve)]
        members = [who.me()["membership_type"] for who in (ada, eve)]
        return books, rows, shown, members

    before = everything()
    mails()
    with db.app_context(), unit_of_work() as uow:
        for model in ALL_MODELS:
            uow.session.execute(delete(model))
    assert ada.me()["membership_type"] == "standard"
    output = run("sync")
    assert "subscriptions 2" in output
    assert everything() == before
    drain_outbox(db)
    subjects = [mail.subject for mail in mails()]
    assert subjects.count("Welcome to Jiki Premium") == 2
    assert run("sync").startswith("invoices")


def test_reconcile_asks_for_one_user(ada, control, db, run):
    ada.subscribe()
    control.set_delivery_mode("drop")
    ada.sdk.v1.subscriptions.cancel(ada.subscription_id())
    assert run("reconcile", ada.user.email) == f"user {ada.user.id}: active -> canceled\n"
    assert run("reconcile", str(ada.user.id)) == f"user {ada.user.id}: canceled, as before\n"


def test_replay_needs_a_notice(app):
    result = app.test_cli_runner().invoke(args=["payments", "replay", "evt_none"])
    assert result.exit_code == 1
    assert "no notice evt_none was received" in result.output
    assert app.test_cli_runner().invoke(args=["payments", "replay"]).exit_code == 2


def test_commands_say_that_stripe_is_away(app, control):
    control.arm_fault("status", method="GET", status=500, path="/v1/", times=50)
    result = app.test_cli_runner().invoke(args=["payments", "sync"])
    assert result.exit_code == 1
    assert "Stripe does not answer" in result.output


def test_the_report_counts_members_money_and_what_waits(ada, run):
    ada.subscribe()
    report = json.loads(run("report", "--json"))
    assert report["premium_members_by_source"] == {"stripe": 1}
    assert report["subscriptions_by_status"] == {"active monthly": 1}
    assert report["money_of_30_days"] == {"usd": {"payments": 1, "paid": 999, "refunded": 0}}
    assert "active monthly" in run("report")


def test_deleting_an_account_ends_what_could_still_be_charged(ada, db, sdk):
    ada.subscribe()
    with db.app_context():
        assert ask(AccountDeletion).prepare_deletion(ada.user.id) == [True]
    assert sdk.v1.subscriptions.list().data == []
    with db.app_context():
        assert ask(AccountDeletion).prepare_deletion(ada.user.id) == [True]


def test_deleting_an_account_closes_its_checkout(ada, db, sdk):
    session = ada.open_checkout()
    with db.app_context():
        assert ask(AccountDeletion).prepare_deletion(ada.user.id) == [True]
    assert sdk.v1.checkout.sessions.retrieve(session).status == "expired"


def test_deleting_an_account_ends_a_subscription_nobody_told_of(ada, db, sdk, control):
    control.complete_checkout(ada.open_checkout())
    with db.app_context():
        assert ask(AccountDeletion).prepare_deletion(ada.user.id) == [True]
    assert sdk.v1.subscriptions.list().data == []


def test_an_account_stays_while_stripe_is_away(ada, db, control, sdk):
    ada.subscribe()
    control.arm_fault("refuse", method="DELETE", path="/v1/subscriptions", times=10)
    with db.app_context():
        assert ask(AccountDeletion).prepare_deletion(ada.user.id) == [False]
    assert len(sdk.v1.subscriptions.list().data) == 1


def test_somebody_who_never_bought_may_go(ada, db):
    with db.app_context():
        assert ask(AccountDeletion).prepare_deletion(ada.user.id) == [True]


def test_nothing_is_swept_further_back_than_stripe_tries(ada, control, db):
    from jiki_payments.commands.sweep import fill_gaps

    control.complete_checkout(ada.open_checkout())
    with db.app_context():
        assert fill_gaps(stripe_gateway(), datetime.now(UTC) + timedelta(days=1)) == 0
