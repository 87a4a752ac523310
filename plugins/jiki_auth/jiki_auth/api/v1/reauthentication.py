"""Account security asks for a recent sign-in, or for the password (contract.md section 1, "passwords")."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from jiki_auth.errors import InvalidPassword, ReauthRequired
from jiki_auth.models import User
from jiki_auth.passwords import verify_password
from jiki_auth.queries.sessions import session_facts
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import sudo_attempt
from jiki_core.db import reading, record_refusal
from jiki_core.errors import Unavailable
from jiki_core.security import me


def require_recent_sign_in(sudo_password: str | None) -> None:
    """Call it before the unit is opened. A password that is sent is checked, however young the sign-in.

    Raises ReauthRequired, InvalidPassword, TooManyAttempts.
    """
    if sudo_password:
        check_sudo_password(sudo_password)
        return
    identity = me()
    facts = session_facts(uuid.UUID(identity.session_id)) if identity.session_id else None
    young = timedelta(minutes=auth_settings().recent_sign_in_minutes)
    if facts is None or datetime.now(UTC) - facts.authenticated_at > young:
        raise ReauthRequired()


def check_sudo_password(sudo_password: str) -> None:
    """The own password while signed in; accounts without one cannot. Raises InvalidPassword, TooManyAttempts."""
    user_id = me().user_id
    attempt = sudo_attempt(user_id)
    stored = reading().execute(select(User.password_hash).where(User.id == user_id)).scalar_one_or_none()
    try:
        is_right = verify_password(sudo_password, stored, auth_settings())
    except Unavailable:
        attempt.give_back()
        raise
    if not is_right:
        record_refusal(
            "reauthentication:refused", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth"
        )
        raise InvalidPassword()
    attempt.give_back()
