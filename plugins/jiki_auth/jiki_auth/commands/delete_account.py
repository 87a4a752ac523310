"""Deletes an account: asked for by mail, confirmed by its link, prepared by other plugins first (contract.md 3.13)."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jwt
from sqlalchemy import delete, select

from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.commands.mail_user import mail_user
from jiki_auth.contracts import AccountDeletion
from jiki_auth.errors import InvalidMailToken, StripeError, TokenExpired
from jiki_auth.events import AccountDeleting
from jiki_auth.models import User
from jiki_core.configuration import derived_key
from jiki_core.contracts import ask_all
from jiki_core.db import UnitOfWork, reading
from jiki_core.runtime import runtime
from jiki_core.storage import detach

TOKEN_SECONDS = 3_600
PURPOSE = "account_deletion"
_ALGORITHM = "HS256"


@dataclass(frozen=True)
class DeletionToken:
    """What a link says."""

    user_id: int


def mail_deletion_link(uow: UnitOfWork, user_id: int) -> None:
    """A link that works for an hour."""
    now = int(uow.now.timestamp())
    token = jwt.encode(
        {"sub": str(user_id), "purpose": PURPOSE, "iat": now, "exp": now + TOKEN_SECONDS}, _key(), _ALGORITHM
    )
    mail_user(uow, user_id, "auth.account_deletion", {"token": token})
    uow.audit("account:deletion_requested", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")


def read_deletion_token(token: str) -> DeletionToken:
    """Raises TokenExpired; InvalidMailToken for anything else that is wrong, a user who is gone included."""
    try:
        claims = jwt.decode(
            token,
            _key(),
            algorithms=[_ALGORITHM],
            options={"require": ["sub", "exp", "purpose"], "verify_exp": False, "verify_iat": False},
        )
        user_id, expires_at = int(claims["sub"]), float(claims["exp"])
    except (jwt.InvalidTokenError, ValueError, TypeError):
        raise InvalidMailToken() from None
    if claims["purpose"] != PURPOSE:
        raise InvalidMailToken()
    if expires_at <= time.time():
        raise TokenExpired()
    if reading().execute(select(User.id).where(User.id == user_id)).one_or_none() is None:
        raise InvalidMailToken()
    return DeletionToken(user_id)


def prepare_deletion(user_id: int) -> None:
    """Lets other plugins end what lies outside; no unit is open. Raises StripeError when one of them could not."""
    if not all(ask_all(AccountDeletion, lambda one: one.prepare_deletion(user_id))):
        raise StripeError()


def delete_account(uow: UnitOfWork, user_id: int, *, actor_id: int | None = None, reason: str = "") -> None:
    """Destroys the user and all that refers to them; call `prepare_deletion` first. Gone already is no error."""
    end_sessions_of(uow, user_id, actor_id=actor_id, reason="account deleted")
    detach(uow, User, user_id)
    gone = uow.session.execute(delete(User).where(User.id == user_id).returning(User.id)).scalar_one_or_none()
    if gone is not None:
        uow.emit(AccountDeleting(user_id))
        uow.audit(
            "account:deleted",
            actor_id=actor_id or user_id,
            target_type="user",
            target_id=user_id,
            reason=reason or None,
            plugin="auth",
        )


def _key() -> bytes:
    return derived_key(runtime().settings, "account-deletion")
