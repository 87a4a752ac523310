"""Confirms an address by the link's token; a repeat within 15 minutes of the first use succeeds again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.commands.mail_tokens import find_mail_token, void_mail_tokens
from jiki_auth.commands.mail_user import mail_user, notify_owner
from jiki_auth.errors import InvalidMailToken
from jiki_auth.events import EmailChanged, UserConfirmed
from jiki_auth.models import MailPurpose, MailToken, User
from jiki_core.db import UnitOfWork

#: the web client calls twice
REPEAT_WINDOW = timedelta(minutes=15)


def confirm_address(uow: UnitOfWork, token: str) -> int:
    """Confirms an account's first address, or puts a changed one in force. Returns the user's id; raises InvalidMailToken."""
    found = find_mail_token(uow, token, MailPurpose.CONFIRMATION, MailPurpose.EMAIL_CHANGE)
    if found is None or (found.used_at is not None and uow.now - found.used_at > REPEAT_WINDOW):
        raise InvalidMailToken()
    if found.used_at is None:
        found.used_at = uow.now
        if found.purpose == MailPurpose.EMAIL_CHANGE:
            _apply_change(uow, found)
        else:
            confirm_user(uow, found.user_id)
    return found.user_id


def confirm_user(uow: UnitOfWork, user_id: int) -> None:
    """Marks an address as confirmed and welcomes its owner once."""
    is_first = uow.session.execute(
        update(User)
        .where(User.id == user_id, User.confirmed_at.is_(None))
        .values(confirmed_at=uow.now)
        .returning(User.id)
    ).scalar_one_or_none()
    if is_first is None:
        return
    uow.audit("account:confirmed", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")
    uow.emit(UserConfirmed(user_id))
    is_unwelcomed = uow.session.execute(
        update(User)
        .where(User.id == user_id, User.welcomed_at.is_(None))
        .values(welcomed_at=uow.now)
        .returning(User.id)
    ).scalar_one_or_none()
    if is_unwelcomed is not None:
        mail_user(uow, user_id, "auth.welcome")


def _apply_change(uow: UnitOfWork, token: MailToken) -> None:
    """The new address takes effect if it is still wanted and still free; all sessions end, the old address is told."""
    user = uow.session.execute(
        select(User.email, User.unconfirmed_email).where(User.id == token.user_id).with_for_update()
    ).one()
    if user.unconfirmed_email != token.email:
        raise InvalidMailToken()
    changed = {
        "email": token.email,
        "unconfirmed_email": None,
        "confirmed_at": func.coalesce(User.confirmed_at, uow.now),
        "email_bounced_at": None,
        "email_bounce_reason": None,
        "email_complaint_at": None,
        "email_complaint_type": None,
    }
    try:
        with uow.session.begin_nested():  # the unique index decides
            uow.session.execute(update(User).where(User.id == token.user_id).values(changed))
    except IntegrityError:
        raise InvalidMailToken() from None
    void_mail_tokens(uow, token.user_id, MailPurpose.PASSWORD_RESET, MailPurpose.CONFIRMATION)
    end_sessions_of(uow, token.user_id, reason="email changed")
    uow.audit("email:changed", actor_id=token.user_id, target_type="user", target_id=token.user_id, plugin="auth")
    uow.emit(EmailChanged(token.user_id))
    notify_owner(uow, token.user_id, "email_changed", to=user.email)
