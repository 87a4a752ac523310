"""What SES tells of addresses: hard bounces and complaints (contract.md 3.14)."""

from __future__ import annotations

from jiki_core.db import UnitOfWork
from sqlalchemy import select, update

from jiki_auth.addresses import normalise_email
from jiki_auth.commands.change_settings import stop_all_mail
from jiki_auth.models import User


def mark_bounced(uow: UnitOfWork, email: str, reason: str) -> None:
    """No mail goes to an address that does not exist, until it changes. Unknown addresses are ignored."""
    user_id = uow.session.execute(
        update(User)
        .where(User.email == normalise_email(email), User.email_bounced_at.is_(None))
        .values(email_bounced_at=uow.now, email_bounce_reason=reason[:500])
        .returning(User.id)
    ).scalar_one_or_none()
    if user_id is not None:
        uow.audit("mail:bounced", target_type="user", target_id=user_id, plugin="auth")


def mark_complained(uow: UnitOfWork, email: str, kind: str) -> None:
    """Somebody pressed "spam": notifications and marketing stop. Unknown addresses are ignored."""
    user_id = uow.session.execute(select(User.id).where(User.email == normalise_email(email))).scalar_one_or_none()
    if user_id is not None:
        stop_all_mail(uow, user_id, kind[:100] or "complaint")
