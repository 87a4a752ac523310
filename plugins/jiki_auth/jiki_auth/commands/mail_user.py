"""Mail to the owner of an account, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import select

from jiki_auth.models import User
from jiki_core.contracts import Translator, ask
from jiki_core.db import UnitOfWork
from jiki_core.mail import send_mail

SecurityNotice = Literal[
    "password_changed",
    "email_changed",
    "new_sign_in",
    "refresh_reused",
    "two_factor_enabled",
    "two_factor_disabled",
    "recovery_codes_renewed",
    "recovery_code_used",
    "google_linked",
    "api_key_created",
    "api_key_leaked",
]


def mail_user(
    uow: UnitOfWork, user_id: int, key: str, context: Mapping[str, Any] | None = None, *, to: str | None = None
) -> None:
    """Sends a template with `handle` and `context`; `to` overrides the account's address."""
    user = uow.session.execute(
        select(User.handle, User.email, User.explicit_locale, User.language_tags).where(User.id == user_id)
    ).one()
    locale = ask(Translator).resolve_locale(user.explicit_locale, user.language_tags)
    send_mail(uow, key, to=to or user.email, context={"handle": user.handle, **(context or {})}, locale=locale)


def notify_owner(
    uow: UnitOfWork, user_id: int, notice: SecurityNotice, details: str = "", *, to: str | None = None
) -> None:
    """A security notice: something happened that the owner should know, and what to do if it was not them."""
    mail_user(uow, user_id, "auth.security_notice", {"notice": notice, "details": details}, to=to)
