"""Tokens for links in mails: made, found and used up; the database keeps their hash."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert, select

from jiki_auth.models import MailPurpose, MailToken
from jiki_auth.secrets_at_rest import new_secret, secret_hash
from jiki_core.db import UnitOfWork


def new_mail_token(
    uow: UnitOfWork, user_id: int, purpose: MailPurpose, ttl: timedelta, *, email: str | None = None
) -> str:
    """A token that goes into a mail and nowhere else."""
    token = new_secret()
    uow.session.execute(
        insert(MailToken).values(
            token_hash=secret_hash(token),
            user_id=user_id,
            purpose=purpose,
            email=email,
            created_at=uow.now,
            expires_at=uow.now + ttl,
        )
    )
    return token


def find_mail_token(uow: UnitOfWork, token: str, *purposes: MailPurpose) -> MailToken | None:
    """The row of a token that has not expired, locked; it may have been used."""
    return uow.session.execute(
        select(MailToken)
        .where(
            MailToken.token_hash == secret_hash(token),
            MailToken.purpose.in_(purposes),
            MailToken.expires_at > uow.now,
        )
        .with_for_update()
    ).scalar_one_or_none()


def void_mail_tokens(uow: UnitOfWork, user_id: int, *purposes: MailPurpose) -> None:
    """Makes a user's links of these purposes useless."""
    uow.session.execute(delete(MailToken).where(MailToken.user_id == user_id, MailToken.purpose.in_(purposes)))
