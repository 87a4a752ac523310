"""`auth/confirmation`: asks for the mail again, and confirms by its link, which also signs in."""

from __future__ import annotations

from typing import Any

from jiki_auth.addresses import normalise_email
from jiki_auth.api.v1.sign_in import signed_in_reply
from jiki_auth.api.v1.visitors import auth_settings, current_visitor
from jiki_auth.commands.confirm_address import confirm_address
from jiki_auth.commands.send_confirmation import resend_confirmation
from jiki_auth.commands.sign_in import open_session
from jiki_auth.errors import InvalidMailToken
from jiki_auth.models import SessionKind
from jiki_auth.schemas import ConfirmationQuery, ConfirmationRequestBody, ConfirmationSentReply, SignedInReply
from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, reply

blp = Blueprint("confirmation", __name__, url_prefix="/confirmation", description="Confirm an address")


@blp.route("", methods=["POST"])
@blp.arguments(ConfirmationRequestBody)
@blp.response(200, ConfirmationSentReply)
def resend(body: dict[str, Any]) -> Reply:
    """Sends the link again. The answer is the same for every address."""
    email = body["user"]["email"]
    with unit_of_work() as uow:
        resend_confirmation(uow, normalise_email(email), auth_settings())
    return reply({"user": {"email": email}})


@blp.route("")
@blp.arguments(ConfirmationQuery, location="query")
@blp.response(200, SignedInReply)
@blp.raises(InvalidMailToken)
def confirm(query: dict[str, Any]) -> Reply:
    """Confirms the address of the link's token and signs in."""
    with unit_of_work() as uow:
        user_id = confirm_address(uow, query["confirmation_token"])
        opened = open_session(uow, user_id, SessionKind.COOKIE, current_visitor(), auth_settings())
    return signed_in_reply(opened)
