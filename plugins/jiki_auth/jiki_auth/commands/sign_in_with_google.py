"""Finds, links or makes the account of somebody whom Google vouches for (contract.md 3.4 and section 1)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from jiki_auth.commands.confirm_address import confirm_user
from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.commands.mail_user import notify_owner
from jiki_auth.commands.sign_up import NewAccount, insert_user, prepare
from jiki_auth.events import UserSignedUp
from jiki_auth.google import GoogleAccount
from jiki_auth.jobs import copy_google_avatar
from jiki_auth.models import ApiKey, MailToken, RecoveryCode, User
from jiki_core.db import UnitOfWork
from jiki_core.errors import ValidationFailed


def account_for_google(uow: UnitOfWork, google: GoogleAccount, visitor: NewAccount) -> int:
    """Returns the user's id: by Google's id, else by the verified address, else a new one. Raises ValidationFailed."""
    known = uow.session.execute(select(User.id).where(User.google_id == google.id)).scalar_one_or_none()
    if known is not None:
        return known
    user_id = _link(uow, google) or _created_or_linked(uow, google, visitor)
    if google.picture_url is not None:
        uow.enqueue(copy_google_avatar, user_id=user_id, url=google.picture_url)
    return user_id


def _created_or_linked(uow: UnitOfWork, google: GoogleAccount, visitor: NewAccount) -> int:
    try:
        with uow.session.begin_nested():
            return _create(uow, google, visitor)
    except IntegrityError:  # somebody else was faster: theirs is the account
        linked = _link(uow, google)
        if linked is None:
            raise ValidationFailed({}) from None
        return linked


def _link(uow: UnitOfWork, google: GoogleAccount) -> int | None:
    user = uow.session.execute(
        select(User.id, User.confirmed_at, User.google_id).where(User.email == google.email).with_for_update()
    ).one_or_none()
    if user is None:
        return None
    if user.google_id is not None and user.google_id != google.id:
        # the address moved to another Google account; Google vouches for the present one
        uow.audit("google:replaced", actor_id=user.id, target_type="user", target_id=user.id, plugin="auth")
    if user.confirmed_at is None:
        _discard_credentials(uow, user.id)
    uow.session.execute(update(User).where(User.id == user.id).values(google_id=google.id))
    confirm_user(uow, user.id)
    uow.audit("google:linked", actor_id=user.id, target_type="user", target_id=user.id, plugin="auth")
    notify_owner(uow, user.id, "google_linked")
    return int(user.id)


def _discard_credentials(uow: UnitOfWork, user_id: int) -> None:
    """Whoever made the unconfirmed account may not be who owns the address: nothing of theirs stays (pre-hijacking)."""
    uow.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(password_hash=None, otp_seed_sealed=None, otp_enabled_at=None, unconfirmed_email=None)
    )
    for table in (ApiKey, RecoveryCode, MailToken):
        uow.session.execute(delete(table).where(table.user_id == user_id))
    end_sessions_of(uow, user_id, reason="linked to Google before confirmation")


def _create(uow: UnitOfWork, google: GoogleAccount, visitor: NewAccount) -> int:
    wanted = replace(visitor, email=google.email, name=google.name, google_id=google.id)
    user_id = insert_user(uow, google.email, None, wanted)
    uow.audit(
        "account:created", actor_id=user_id, target_type="user", target_id=user_id, reason="google", plugin="auth"
    )
    uow.emit(UserSignedUp(user_id, "google"))
    confirm_user(uow, user_id)
    prepare(uow, user_id)
    return user_id
