"""`auth/token*`: bearer tokens for clients that are no browser pages (contract.md section 1, "tokens")."""

from __future__ import annotations

import uuid
from typing import Any

from jiki_auth.access_tokens import new_access_token
from jiki_auth.api.v1.visitors import auth_settings, current_visitor
from jiki_auth.authentication import session_cache
from jiki_auth.commands.refresh_tokens import refresh, refresh_token
from jiki_auth.commands.sign_in import check_password, sign_in, sign_out
from jiki_auth.errors import InvalidCredentials, RefreshReused, Unconfirmed
from jiki_auth.models import SessionKind
from jiki_auth.schemas import RefreshBody, TokenBody, TokenPairReply
from jiki_auth.secrets_at_rest import secret_hash
from jiki_core.db import unit_of_work
from jiki_core.errors import Forbidden, InvalidToken
from jiki_core.http import Blueprint, Reply, never_cache, no_content, reply

blp = Blueprint("token", __name__, url_prefix="/token", description="Bearer tokens")


@blp.route("", methods=["POST"])
@blp.arguments(TokenBody)
@blp.response(200, TokenPairReply)
@blp.raises(InvalidCredentials, Unconfirmed, Forbidden)
def create(body: dict[str, Any]) -> Reply:
    """An access token (a JWT) and the first refresh token of a new session."""
    checked = check_password(body["email"], body["password"], auth_settings())
    with unit_of_work() as uow:
        opened = sign_in(uow, checked, SessionKind.TOKEN, current_visitor(), auth_settings())
    return _pair(opened.user_id, opened.id, refresh_token(opened.id, secret_hash(opened.secret), 0))


@blp.route("/refresh", methods=["POST"])
@blp.arguments(RefreshBody)
@blp.response(200, TokenPairReply)
@blp.raises(InvalidToken, RefreshReused)
def renew(body: dict[str, Any]) -> Reply:
    """The next pair. A token that was used before ends the session, unless it is repeated within ten seconds."""
    with unit_of_work() as uow:
        refreshed = refresh(uow, body["refresh_token"])
    if refreshed.was_reused:
        session_cache().forget(refreshed.session_id)
        raise RefreshReused()
    return _pair(refreshed.user_id, refreshed.session_id, refreshed.refresh_token)


@blp.route("/revoke", methods=["POST"])
@blp.arguments(RefreshBody)
@blp.response(204)
@blp.raises(InvalidToken)
def revoke(body: dict[str, Any]) -> Reply:
    """Ends the session that a refresh token belongs to."""
    with unit_of_work() as uow:
        refreshed = refresh(uow, body["refresh_token"])
        sign_out(uow, refreshed.session_id)
    session_cache().forget(refreshed.session_id)
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
