"""`POST auth/google`: sign-in with a code from Google's popup (contract.md 3.4)."""

from __future__ import annotations

from typing import Any

from flask import request

from jiki_auth.api.v1.signing_in import sign_in_reply
from jiki_auth.commands.sign_in import finish_first_factor
from jiki_auth.commands.sign_in_with_google import account_for_google
from jiki_auth.commands.sign_up import NewAccount
from jiki_auth.google import exchange_code
from jiki_auth.schemas import GoogleBody, SignedInReply
from jiki_auth.settings import auth_settings
from jiki_auth.visitors import country_of, current_visitor, language_tags_of
from jiki_core.db import unit_of_work
from jiki_core.errors import InvalidToken, ValidationFailed
from jiki_core.http import Blueprint, Reply, trusted_header

blp = Blueprint("google", __name__, url_prefix="/google", description="Sign in with Google")


@blp.route("", methods=["POST"])
@blp.arguments(GoogleBody)
@blp.response(200, SignedInReply)
@blp.raises(InvalidToken, ValidationFailed)
def create(body: dict[str, Any]) -> Reply:
    """Signs in whom Google vouches for; makes the account when there is none."""
    google = exchange_code(body["code"], auth_settings())
    visitor = NewAccount(
        email=google.email,
        password="",
        language_tags=language_tags_of(request.headers.get("Accept-Language")),
        country_code=country_of(trusted_header("CF-IPCountry")),
        attribution=body["attribution"],
    )
    with unit_of_work() as uow:
        user_id = account_for_google(uow, google, visitor)
        outcome = finish_first_factor(uow, user_id, "google", current_visitor(), auth_settings())
    return sign_in_reply(outcome)
