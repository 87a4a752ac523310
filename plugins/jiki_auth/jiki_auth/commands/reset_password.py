"""Forgotten passwords: mails a link and takes a new password for it (contract.md 3.5)."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import delete, select, update

from jiki_auth.commands.confirm_address import confirm_user
from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.commands.mail_tokens import find_mail_token, new_mail_token, void_mail_tokens
from jiki_auth.commands.mail_user import mail_user, notify_owner
from jiki_auth.errors import InvalidMailToken
from jiki_auth.models import MailPurpose, OtpChallenge, User
from jiki_auth.settings import AuthSettings
from jiki_auth.throttles import unlock
from jiki_core.db import UnitOfWork


def mail_reset_link(uow: UnitOfWork, user_id: int, settings: AuthSettings) -> None:
    """A link that dies when it is used, when its owner signs in, and after six hours."""
    ttl = timedelta(hours=settings.password_reset_ttl_hours)
    token = new_mail_token(uow, user_id, MailPurpose.PASSWORD_RESET, ttl)
    mail_user(uow, user_id, "auth.password_reset", {"token": token, "hours": settings.password_reset_ttl_hours})


def reset_password(uow: UnitOfWork, token: str, password_hash: str) -> int:
    """Stores the new password, ends all sessions and frees the account's throttle; does not sign in.

    The link came by mail, so an address that was never confirmed is now. Raises InvalidMailToken.
    """
    found = find_mail_token(uow, token, MailPurpose.PASSWORD_RESET)
    if found is None or found.used_at is not None:
        raise InvalidMailToken()
    user_id = found.user_id
    email = uow.session.execute(select(User.email).where(User.id == user_id)).scalar_one()
    confirm_user(uow, user_id)
    replace_password(uow, user_id, password_hash, reason="password reset")
    uow.after_commit(lambda: unlock(email, user_id))
    return user_id


def replace_password(
    uow: UnitOfWork, user_id: int, password_hash: str, *, spared_session: str | None = None, reason: str
) -> None:
    """Stores a password; every other session, sign-in in progress and reset link ends, and the owner is told."""
    uow.session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
    void_mail_tokens(uow, user_id, MailPurpose.PASSWORD_RESET)
    uow.session.execute(delete(OtpChallenge).where(OtpChallenge.user_id == user_id))
    end_sessions_of(uow, user_id, spared=uuid.UUID(spared_session) if spared_session else None, reason=reason)
    uow.audit("password:changed", actor_id=user_id, target_type="user", target_id=user_id, reason=reason, plugin="auth")
    notify_owner(uow, user_id, "password_changed")
