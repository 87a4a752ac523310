"""Keeps on the account what became of mail to its address (contract.md 3.14). Stopping the mail itself is the core's."""

from __future__ import annotations

from sqlalchemy import update

from jiki_auth.addresses import normalise_email
from jiki_auth.models import User
from jiki_core.db import UnitOfWork


def mark_suppressed(uow: UnitOfWork, email: str, cause: str, detail: str | None) -> None:
    """`cause` is bounce, complaint or unsubscribe. Addresses of nobody are ignored."""
    if cause == "bounce":
        values = {"email_bounced_at": uow.now, "email_bounce_reason": (detail or "")[:500]}
        unmarked = User.email_bounced_at.is_(None)
    else:
        values = {"email_complaint_at": uow.now, "email_complaint_type": (detail or cause)[:100]}
        unmarked = User.email_complaint_at.is_(None)
    user_id = uow.session.execute(
        update(User).where(User.email == normalise_email(email), unmarked).values(values).returning(User.id)
    ).scalar_one_or_none()
    if user_id is not None:
        uow.audit("mail:stopped", target_type="user", target_id=user_id, reason=cause, plugin="auth")
