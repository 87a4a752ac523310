"""Sends the mail whose link confirms an address."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, select

from jiki_auth.models import MailPurpose, MailToken, User
from jiki_auth.secrets_at_rest import new_secret, secret_hash
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork
from jiki_core.mail import send_mail


def send_confirmation(uow: UnitOfWork, user_id: int, settings: AuthSettings) -> None:
    """A new link; earlier ones stay valid until their end."""
    user = uow.session.execute(select(User.handle, User.email).where(User.id == user_id)).one()
    token = new_secret()
    uow.session.execute(
        insert(MailToken).values(
            token_hash=secret_hash(token),
            user_id=user_id,
            purpose=MailPurpose.CONFIRMATION,
            created_at=uow.now,
            expires_at=uow.now + timedelta(days=settings.confirmation_ttl_days),
        )
    )
    send_mail(uow, "auth.confirmation", to=user.email, context={"handle": user.handle, "token": token})


def resend_confirmation(uow: UnitOfWork, email: str, settings: AuthSettings) -> None:
    """For an address that is known and unconfirmed; silent otherwise, so that nobody learns who has an account."""
    user_id = uow.session.execute(
        select(User.id).where(User.email == email, User.confirmed_at.is_(None))
    ).scalar_one_or_none()
    if user_id is not None:
        send_confirmation(uow, user_id, settings)
