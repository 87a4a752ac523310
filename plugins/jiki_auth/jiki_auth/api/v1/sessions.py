"""`internal/sessions`: where somebody is signed in, and ending it; and proving again who one is."""

from __future__ import annotations

import uuid
from typing import Any

from jiki_auth.api.v1.reauthentication import check_sudo_password
from jiki_auth.commands.end_sessions import end_session, end_sessions_of, renew_authentication
from jiki_auth.errors import InvalidPassword
from jiki_auth.permissions import MANAGE_OWN_ACCOUNT
from jiki_auth.queries.sessions import sessions_of
from jiki_auth.schemas import EmptyReply, ReauthenticationBody, SessionsReply
from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound, TooManyAttempts
from jiki_core.http import Blueprint, Reply, no_content, policy, reply, timestamp
from jiki_core.security import me

blp = Blueprint("own_sessions", __name__, url_prefix="/sessions", description="Where one is signed in")


@blp.route("")
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(200, SessionsReply)
def index() -> Reply:
    """All sessions, the most recently used first."""
    current = me().session_id
    listed = [
        {
            "id": str(one.id),
            "kind": one.kind,
            "device": one.user_agent,
            "network": one.network,
            "is_current": str(one.id) == current,
            "created_at": timestamp(one.created_at),
            "last_used_at": timestamp(one.last_used_at),
            "expires_at": timestamp(one.expires_at),
        }
        for one in sessions_of(me().user_id)
    ]
    return reply({"sessions": listed})


@blp.route("/others", methods=["DELETE"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(204)
def delete_others() -> Reply:
    """Ends all but this one."""
    with unit_of_work() as uow:
        end_sessions_of(uow, me().user_id, spared=uuid.UUID(me().session_id), reason="ended by its owner")
    return no_content()


@blp.route("/<uuid:session_id>", methods=["DELETE"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(204)
@blp.raises(NotFound)
def delete(session_id: uuid.UUID) -> Reply:
    """Ends one: its cookie, tokens and sockets."""
    with unit_of_work() as uow:
        if not end_session(uow, session_id, owner_id=me().user_id, reason="ended by its owner"):
            raise NotFound()
    return no_content()


@blp.route("/current/reauthenticate", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(ReauthenticationBody)
@blp.response(200, EmptyReply)
@blp.raises(InvalidPassword, TooManyAttempts)
def reauthenticate(body: dict[str, Any]) -> Reply:
    """Makes this sign-in recent again, for what asks for a recent one."""
    check_sudo_password(body["sudo_password"])
    with unit_of_work() as uow:
        renew_authentication(uow, me().user_id, uuid.UUID(me().session_id))
    return reply({})
