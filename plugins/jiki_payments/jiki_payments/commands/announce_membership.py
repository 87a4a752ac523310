"""Tells the world that somebody became premium, or is no longer: the one place that does, whatever the cause.

The truth is in the entitlements; `members.is_announced_premium` is what was said last (contract.md 3.9, upgrade and
downgrade). Called after every change of entitlements, and by the sweep that finds those that expired.
"""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.db import UnitOfWork
from jiki_core.mail import send_mail
from jiki_payments.commands.member import account_of
from jiki_payments.events import PremiumEnded, PremiumStarted
from jiki_payments.models import PREMIUM, Member
from jiki_payments.queries.entitlements import has_entitlement


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a user is premium, and whether that is news."""

    is_premium: bool
    has_changed: bool


def announce_membership(uow: UnitOfWork, member: Member) -> Membership:
    """`member` is locked. Says each change once; the welcome is mailed once in a lifetime."""
    uow.session.flush()
    is_premium = has_entitlement(member.user_id, PREMIUM)
    if is_premium == member.is_announced_premium:
        return Membership(is_premium, has_changed=False)
    member.is_announced_premium = is_premium
    if is_premium:
        is_first = member.welcomed_at is None
        if is_first:
            member.welcomed_at = uow.now
            _mail(uow, member.user_id, "payments.welcome_to_premium")
        uow.notify(member.user_id, "payments.premium_started", {"is_first": is_first})
        uow.emit(PremiumStarted(member.user_id, is_first))
    else:
        _mail(uow, member.user_id, "payments.subscription_ended")
        uow.notify(member.user_id, "payments.premium_ended", {})
        uow.emit(PremiumEnded(member.user_id))
    return Membership(is_premium, has_changed=True)


def _mail(uow: UnitOfWork, user_id: int, key: str) -> None:
    account = account_of(user_id)
    if account is not None and account.may_receive:
        send_mail(uow, key, to=account.email, context={"handle": account.handle}, locale=account.locale)
