"""`POST auth/signup`."""

from __future__ import annotations

from typing import Any

from flask import request

from jiki_auth.captcha import captcha_checked
from jiki_auth.commands.sign_up import NewAccount, sign_up
from jiki_auth.errors import InvalidCaptcha
from jiki_auth.passwords import hash_password
from jiki_auth.schemas import SignedUpReply, SignUpBody
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import count_sign_up
from jiki_auth.visitors import country_of, language_tags_of
from jiki_core.db import unit_of_work
from jiki_core.errors import TooManyAttempts, ValidationFailed
from jiki_core.http import Blueprint, Reply, reply, trusted_header

blp = Blueprint("signup", __name__, url_prefix="/signup", description="New accounts")


@blp.route("", methods=["POST"])
@captcha_checked
@blp.arguments(SignUpBody)
@blp.response(201, SignedUpReply)
@blp.raises(InvalidCaptcha, ValidationFailed, TooManyAttempts)
def create(body: dict[str, Any]) -> Reply:
    """Creates an unconfirmed account and mails a link. A taken address gets the same answer; its owner is told by mail."""
    user = body["user"]
    count_sign_up()
    wanted = NewAccount(
        email=user["email"],
        password=user["password"],
        password_confirmation=user["password_confirmation"],
        name=user["name"] or None,
        handle=user["handle"].strip().lower() if user["handle"] else None,
        locale=user["locale"] or None,
        language_tags=language_tags_of(request.headers.get("Accept-Language")),
        country_code=country_of(trusted_header("CF-IPCountry")),
        attribution=body["attribution"],
    )
    password_hash = hash_password(wanted.password, auth_settings())
    with unit_of_work() as uow:
        account = sign_up(uow, wanted, password_hash, auth_settings())
    return reply({"user": {"email": account.email, "email_confirmed": False}}, status=201)
