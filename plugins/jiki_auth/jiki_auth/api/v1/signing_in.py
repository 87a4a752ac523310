"""How the routes of auth answer a sign-in: with a session's cookie, or by asking for the second factor."""

from __future__ import annotations

from typing import Any, cast

from flask import Response

from jiki_auth.authentication import identity_of
from jiki_auth.commands.sign_in import CHALLENGE_TTL, AwaitedCode, OpenedSession
from jiki_auth.cookies import clear_otp_cookie, set_otp_cookie, set_session_cookie
from jiki_auth.queries.account import user_shape
from jiki_auth.queries.sessions import SessionFacts, session_facts
from jiki_auth.settings import auth_settings
from jiki_core.http import never_cache, reply
from jiki_core.security import become


def sign_in_reply(outcome: OpenedSession | AwaitedCode, *, always_with_user: bool = False) -> Response:
    """`status` is success, 2fa_required or 2fa_setup_required; only the first signs anybody in."""
    if isinstance(outcome, OpenedSession):
        become(identity_of(cast(SessionFacts, session_facts(outcome.id)), "session"))
        response = reply({"status": "success", "user": user_shape(outcome.user_id)})
        set_session_cookie(response, outcome.id, outcome.secret, auth_settings())
        clear_otp_cookie(response)
        return never_cache(response)
    body: dict[str, Any] = {"status": "2fa_required"}
    if outcome.provisioning_uri is not None:
        body = {"status": "2fa_setup_required", "provisioning_uri": outcome.provisioning_uri}
    if always_with_user:
        body["user"] = user_shape(outcome.user_id)
    response = reply(body)
    set_otp_cookie(response, outcome.id, outcome.secret, int(CHALLENGE_TTL.total_seconds()))
    return never_cache(response)
