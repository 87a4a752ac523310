"""Tells a user that a payment failed, and until when they stay premium (contract.md 3.12 and 6.0)."""

from __future__ import annotations

from sqlalchemy import update

from jiki_core.db import UnitOfWork
from jiki_core.http import timestamp
from jiki_core.mail import send_mail
from jiki_payments.commands.member import account_of
from jiki_payments.dunning import mails_due
from jiki_payments.models import Subscription
from jiki_payments.stripe_states import Standing


def tell_of_failed_payment(uow: UnitOfWork, user_id: int, standing: Standing) -> None:
    """A mail, a notification, and a note of how many were due, so that each is sent once. The member is locked."""
    assert standing.payment_failed_at is not None
    assert standing.subscription_id is not None
    ends_at = standing.premium_until
    uow.session.execute(
        update(Subscription)
        .where(Subscription.subscription_id == standing.subscription_id)
        .values(failure_mails=max(1, mails_due(standing.payment_failed_at, uow.now)))
    )
    uow.notify(user_id, "payments.payment_failed", {"grace_period_ends_at": timestamp(ends_at)})
    account = account_of(user_id)
    if account is not None and account.may_receive:
        send_mail(
            uow,
            "payments.payment_failed",
            to=account.email,
            context={"handle": account.handle, "premium_until": f"{ends_at:%Y-%m-%d}" if ends_at else None},
            locale=account.locale,
        )
