"""`auth/token*`: bearer tokens for clients that are no browser pages (contract.md section 1, "tokens")."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from jiki_auth.access_tokens import new_access_token
from jiki_auth.commands.end_sessions import end_session
from jiki_auth.commands.refresh_tokens import refresh, refresh_token, session_of_refresh_token
from jiki_auth.commands.second_factor import check_second_factor
from jiki_auth.commands.sign_in import check_password, open_session, renew_hash, second_factor
from jiki_auth.errors import (
    InvalidCredentials,
    InvalidOtp,
    RecoveryCodeUsed,
    RefreshReused,
    SecondFactorNotSetUp,
    Unconfirmed,
)
from jiki_auth.metrics import count_attempt, count_reuse
from jiki_auth.models import SessionKind
from jiki_auth.schemas import RefreshBody, TokenBody, TokenPairReply
from jiki_auth.secrets_at_rest import secret_hash
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import otp_attempt
from jiki_auth.visitors import current_visitor
from jiki_core.db import record_refusal, unit_of_work
from jiki_core.errors import InvalidToken, TooManyAttempts
from jiki_core.http import Blueprint, Reply, never_cache, no_content, reply

blp = Blueprint("token", __name__, url_prefix="/token", description="Bearer tokens")


@blp.route("", methods=["POST"])
@blp.arguments(TokenBody)
@blp.response(200, TokenPairReply)
@blp.raises(InvalidCredentials, Unconfirmed, InvalidOtp, RecoveryCodeUsed, SecondFactorNotSetUp, TooManyAttempts)
def create(body: dict[str, Any]) -> Reply:
    """An access token (a JWT) and the first refresh token of a new session.

    Accounts with a second factor send `otp_code`: a code of their app, or a recovery code.
    """
    settings = auth_settings()
    checked = check_password(body["email"], body["password"], settings)
    with unit_of_work() as uow:
        factor = second_factor(uow, checked.user_id)
    attempt = otp_attempt(checked.user_id) if factor.is_enabled else None
    try:
        with unit_of_work() as uow:
            renew_hash(uow, checked)
            if factor.is_enabled or factor.is_compulsory:
                check_second_factor(uow, checked.user_id, body["otp_code"], settings)
            opened = open_session(uow, checked.user_id, SessionKind.TOKEN, current_visitor(), settings)
    except (InvalidOtp, RecoveryCodeUsed):
        count_attempt("otp", "wrong")
        record_refusal("second_factor:refused", target_type="user", target_id=checked.user_id, plugin="auth")
        raise
    if attempt is not None:
        attempt.give_back()
        count_attempt("otp", "accepted")
    return _pair(opened.user_id, opened.id, refresh_token(opened.id, secret_hash(opened.secret), 0))


@blp.route("/refresh", methods=["POST"])
@blp.arguments(RefreshBody)
@blp.response(200, TokenPairReply)
@blp.raises(InvalidToken, RefreshReused)
def renew(body: dict[str, Any]) -> Reply:
    """The next pair. A token that was used before ends the session, unless it is repeated within ten seconds."""
    with unit_of_work() as uow:
        refreshed = refresh(uow, body["refresh_token"], timedelta(days=auth_settings().session_ttl_days))
    if refreshed.was_reused:
        count_reuse()
        raise RefreshReused()
    return _pair(refreshed.user_id, refreshed.session_id, refreshed.refresh_token)


@blp.route("/revoke", methods=["POST"])
@blp.arguments(RefreshBody)
@blp.response(204)
@blp.raises(InvalidToken)
def revoke(body: dict[str, Any]) -> Reply:
    """Ends the session that a refresh token belongs to."""
    with unit_of_work() as uow:
        end_session(uow, session_of_refresh_token(uow, body["refresh_token"]), reason="token revoked")
    return no_content()


def _pair(user_id: int, session_id: uuid.UUID, next_refresh_token: str) -> Reply:
    return never_cache(
        reply(
            {
                "access_token": new_access_token(user_id, session_id),
                "refresh_token": next_refresh_token,
                "token_type": "Bearer",
                "expires_in": auth_settings().access_token_ttl_seconds,
            }
        )
    )
