"""Confirms an address by the link's token; a repeat within 15 minutes of the first use succeeds again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from jiki_auth.errors import InvalidMailToken
from jiki_auth.models import MailPurpose, MailToken, User
from jiki_auth.secrets_at_rest import secret_hash
from jiki_core.db import UnitOfWork
from jiki_core.mail import send_mail

REPEAT_WINDOW = timedelta(minutes=15)


def confirm_address(uow: UnitOfWork, token: str) -> int:
    """Returns the user's id. Raises InvalidMailToken."""
    found = uow.session.execute(
        select(MailToken)
        .where(MailToken.token_hash == secret_hash(token), MailToken.purpose == MailPurpose.CONFIRMATION)
        .with_for_update()
    ).scalar_one_or_none()
    if found is None or found.expires_at <= uow.now:
        raise InvalidMailToken()
    if found.used_at is not None and uow.now - found.used_at > REPEAT_WINDOW:
        raise InvalidMailToken()
    if found.used_at is None:
        found.used_at = uow.now
        confirm_user(uow, found.user_id)
    return found.user_id


def confirm_user(uow: UnitOfWork, user_id: int) -> None:
    """Marks an address as confirmed and welcomes its owner once."""
    user = uow.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(confirmed_at=func.coalesce(User.confirmed_at, uow.now))
        .returning(User.handle, User.email)
    ).one()
    uow.audit("account:confirmed", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")
    is_first = uow.session.execute(
        update(User)
        .where(User.id == user_id, User.welcomed_at.is_(None))
        .values(welcomed_at=uow.now)
        .returning(User.id)
    ).scalar_one_or_none()
    if is_first is not None:
        send_mail(uow, "auth.welcome", to=user.email, context={"handle": user.handle})
