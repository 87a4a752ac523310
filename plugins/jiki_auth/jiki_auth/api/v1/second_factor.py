"""`auth/verify-2fa` and `auth/setup-2fa`: the code after a right password (contract.md 3.3)."""

from __future__ import annotations

from typing import Any

from flask import request

from jiki_auth.api.v1.signing_in import sign_in_reply
from jiki_auth.commands.second_factor import answer_challenge
from jiki_auth.cookies import OTP_COOKIE, parse_cookie
from jiki_auth.errors import InvalidOtp, SessionExpired
from jiki_auth.metrics import count_attempt
from jiki_auth.queries.challenges import challenged_user
from jiki_auth.schemas import OtpBody, SignedInReply
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import otp_attempt
from jiki_auth.visitors import current_visitor
from jiki_core.db import record_refusal, unit_of_work
from jiki_core.errors import TooManyAttempts
from jiki_core.http import Blueprint, Reply

blp = Blueprint("second_factor", __name__, description="The second factor")


@blp.route("/verify-2fa", methods=["POST"])
@blp.arguments(OtpBody)
@blp.response(200, SignedInReply)
@blp.raises(SessionExpired, InvalidOtp, TooManyAttempts)
def verify(body: dict[str, Any]) -> Reply:
    """Signs in with the code of the authenticator app, within five minutes of the password."""
    return _answer(body["otp_code"])


@blp.route("/setup-2fa", methods=["POST"])
@blp.arguments(OtpBody)
@blp.response(200, SignedInReply)
@blp.raises(SessionExpired, InvalidOtp, TooManyAttempts)
def setup(body: dict[str, Any]) -> Reply:
    """The same; the first right code also enables the app that was just set up."""
    return _answer(body["otp_code"])


def _answer(code: str) -> Reply:
    parsed = parse_cookie(request.cookies.get(OTP_COOKIE, ""))
    user_id = challenged_user(*parsed) if parsed else None
    if parsed is None or user_id is None:
        raise SessionExpired()
    attempt = otp_attempt(user_id)
    try:
        with unit_of_work() as uow:
            opened = answer_challenge(uow, parsed[0], code, current_visitor(), auth_settings())
    except InvalidOtp:
        count_attempt("otp", "wrong")
        record_refusal("second_factor:refused", target_type="user", target_id=user_id, plugin="auth")
        raise
    attempt.give_back()
    count_attempt("otp", "accepted")
    return sign_in_reply(opened)
