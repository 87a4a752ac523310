"""`POST auth/login` and `DELETE auth/logout`, with the session cookie."""

from __future__ import annotations

import uuid
from typing import Any

from jiki_auth.api.v1.signing_in import sign_in_reply
from jiki_auth.captcha import captcha_checked
from jiki_auth.commands.end_sessions import end_session
from jiki_auth.commands.sign_in import check_password, finish_first_factor, renew_hash
from jiki_auth.cookies import clear_otp_cookie, clear_session_cookie
from jiki_auth.errors import InvalidCaptcha, InvalidCredentials, Unconfirmed
from jiki_auth.schemas import SignedInReply, SignInBody
from jiki_auth.settings import auth_settings
from jiki_auth.visitors import current_visitor
from jiki_core.db import unit_of_work
from jiki_core.errors import TooManyAttempts, Unauthenticated
from jiki_core.http import Blueprint, Reply, no_content
from jiki_core.security import become, current_identity

blp = Blueprint("sessions", __name__, description="Sign in and out")


@blp.route("/login", methods=["POST"])
@captcha_checked
@blp.arguments(SignInBody)
@blp.response(200, SignedInReply)
@blp.raises(InvalidCaptcha, InvalidCredentials, Unconfirmed, TooManyAttempts)
def login(body: dict[str, Any]) -> Reply:
    """Signs in with address and password, or asks for the second factor. Unknown address and wrong password look alike."""
    checked = check_password(body["user"]["email"], body["user"]["password"], auth_settings())
    with unit_of_work() as uow:
        renew_hash(uow, checked)
        outcome = finish_first_factor(uow, checked.user_id, "password", current_visitor(), auth_settings())
    return sign_in_reply(outcome)


@blp.route("/logout", methods=["DELETE"])
@blp.response(204)
@blp.raises(Unauthenticated)
def logout() -> Reply:
    """Ends the session of the cookie or token. Without one: 401."""
    identity = current_identity()
    if identity is None or identity.session_id is None:
        raise Unauthenticated()
    with unit_of_work() as uow:
        end_session(uow, uuid.UUID(identity.session_id), reason="signed out")
    become(None)
    response = no_content()
    clear_session_cookie(response)
    clear_otp_cookie(response)
    return response
