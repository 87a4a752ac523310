"""`POST auth/login` and `DELETE auth/logout`, with the session cookie."""

from __future__ import annotations

import uuid
from typing import Any, cast

from flask import Response

from jiki_auth.api.v1.visitors import auth_settings, current_visitor
from jiki_auth.authentication import identity_of, session_cache
from jiki_auth.commands.sign_in import OpenedSession, check_password, sign_in, sign_out
from jiki_auth.cookies import clear_session_cookie, set_session_cookie
from jiki_auth.errors import InvalidCredentials, Unconfirmed
from jiki_auth.models import SessionKind
from jiki_auth.queries.account import user_shape
from jiki_auth.queries.sessions import SessionFacts, session_facts
from jiki_auth.schemas import SignedInReply, SignInBody
from jiki_core.db import unit_of_work
from jiki_core.errors import Forbidden, Unauthenticated
from jiki_core.http import Blueprint, Reply, no_content, reply
from jiki_core.security import become, current_identity

blp = Blueprint("sessions", __name__, description="Sign in and out")


@blp.route("/login", methods=["POST"])
@blp.arguments(SignInBody)
@blp.response(200, SignedInReply)
@blp.raises(InvalidCredentials, Unconfirmed, Forbidden)
def login(body: dict[str, Any]) -> Reply:
    """Signs in with address and password. Unknown address and wrong password look alike."""
    checked = check_password(body["user"]["email"], body["user"]["password"], auth_settings())
    with unit_of_work() as uow:
        opened = sign_in(uow, checked, SessionKind.COOKIE, current_visitor(), auth_settings())
    return signed_in_reply(opened)


@blp.route("/logout", methods=["DELETE"])
@blp.response(204)
@blp.raises(Unauthenticated)
def logout() -> Reply:
    """Ends the session of the cookie or token. Without one: 401."""
    identity = current_identity()
    if identity is None or identity.session_id is None:
        raise Unauthenticated()
    session_id = uuid.UUID(identity.session_id)
    with unit_of_work() as uow:
        sign_out(uow, session_id)
    session_cache().forget(session_id)
    become(None)
    response = no_content()
    clear_session_cookie(response)
    return response


def signed_in_reply(opened: OpenedSession) -> Response:
    """`{"status": "success", "user": …}` with the session cookie of a session just opened."""
    become(identity_of(cast(SessionFacts, session_facts(opened.id)), "session"))
    response = reply({"status": "success", "user": user_shape(opened.user_id)})
    set_session_cookie(response, opened.id, opened.secret, auth_settings())
    return response
