"""Sends the mail whose link confirms an address."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from jiki_auth.commands.mail_tokens import new_mail_token
from jiki_auth.commands.mail_user import mail_user
from jiki_auth.models import MailPurpose, User
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork


def send_confirmation(uow: UnitOfWork, user_id: int, settings: AuthSettings) -> None:
    """A new link; earlier ones stay valid until their end."""
    ttl = timedelta(days=settings.confirmation_ttl_days)
    token = new_mail_token(uow, user_id, MailPurpose.CONFIRMATION, ttl)
    mail_user(uow, user_id, "auth.confirmation", {"token": token})


def send_change_confirmation(uow: UnitOfWork, user_id: int, email: str, settings: AuthSettings) -> None:
    """A link to a new address, which takes effect when it is followed."""
    ttl = timedelta(days=settings.confirmation_ttl_days)
    token = new_mail_token(uow, user_id, MailPurpose.EMAIL_CHANGE, ttl, email=email)
    mail_user(uow, user_id, "auth.email_change", {"token": token}, to=email)


def resend_confirmation(uow: UnitOfWork, email: str, settings: AuthSettings) -> None:
    """For an address that waits for its confirmation, of an account or of a change; silent otherwise."""
    user = uow.session.execute(
        select(User.id, User.email, User.confirmed_at).where((User.email == email) | (User.unconfirmed_email == email))
    ).first()
    if user is None:
        return
    if user.email != email:
        send_change_confirmation(uow, user.id, email, settings)
    elif user.confirmed_at is None:
        send_confirmation(uow, user.id, settings)
