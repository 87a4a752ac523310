"""Changes an address: the new one must confirm, the old one is told at once and can undo it for seven days."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from jiki_auth.addresses import is_email, normalise_email
from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.commands.mail_tokens import find_mail_token, new_mail_token, void_mail_tokens
from jiki_auth.commands.mail_user import mail_user
from jiki_auth.commands.reset_password import mail_reset_link
from jiki_auth.commands.send_confirmation import send_change_confirmation
from jiki_auth.errors import InvalidMailToken
from jiki_auth.events import EmailChanged
from jiki_auth.models import MailPurpose, User
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_core.runtime import runtime

UNDO_TTL = timedelta(days=7)


def request_email_change(
    uow: UnitOfWork, user_id: int, wanted: str, settings: AuthSettings, *, actor_id: int | None = None
) -> None:
    """Parks the new address until it confirms; the present one withdraws a parked one. Raises ValidationFailed."""
    email = normalise_email(wanted)
    if not is_email(email):
        raise ValidationFailed({"email": [FieldError("invalid")]})
    user = uow.session.execute(select(User.email).where(User.id == user_id).with_for_update()).one()
    void_mail_tokens(uow, user_id, MailPurpose.EMAIL_CHANGE)
    if email == user.email:
        uow.session.execute(update(User).where(User.id == user_id).values(unconfirmed_email=None))
        return
    if uow.session.execute(select(User.id).where(User.email == email)).one_or_none() is not None:
        raise ValidationFailed({"email": [FieldError("taken")]})
    uow.session.execute(update(User).where(User.id == user_id).values(unconfirmed_email=email))
    undo = new_mail_token(uow, user_id, MailPurpose.EMAIL_CHANGE_UNDO, UNDO_TTL, email=user.email)
    mail_user(uow, user_id, "auth.email_change_notice", {"new_email": email, "undo_url": undo_url(undo)})
    send_change_confirmation(uow, user_id, email, settings)
    uow.audit(
        "email:change_requested",
        actor_id=actor_id or user_id,
        target_type="user",
        target_id=user_id,
        plugin="auth",
    )


def undo_email_change(uow: UnitOfWork, token: str, settings: AuthSettings) -> None:
    """Puts the old address back, ends all sessions and mails a link for a new password: somebody else was in.

    Raises InvalidMailToken.
    """
    found = find_mail_token(uow, token, MailPurpose.EMAIL_CHANGE_UNDO)
    if found is None or found.used_at is not None or found.email is None:
        raise InvalidMailToken()
    found.used_at = uow.now
    try:
        with uow.session.begin_nested():  # the unique index decides
            uow.session.execute(
                update(User).where(User.id == found.user_id).values(email=found.email, unconfirmed_email=None)
            )
    except IntegrityError:  # somebody signed up with it meanwhile
        raise InvalidMailToken() from None
    void_mail_tokens(uow, found.user_id, MailPurpose.EMAIL_CHANGE, MailPurpose.PASSWORD_RESET)
    end_sessions_of(uow, found.user_id, reason="email change undone")
    mail_reset_link(uow, found.user_id, settings)
    uow.audit("email:change_undone", actor_id=found.user_id, target_type="user", target_id=found.user_id, plugin="auth")
    uow.emit(EmailChanged(found.user_id))


def undo_url(token: str) -> str:
    """Our own page: the web client has none for it."""
    return f"{runtime().settings.public_url.rstrip('/')}/api/v1/auth/email_change/{token}"
