"""`auth/confirmation`: asks for the mail again, and confirms by its link, which also signs in."""

from __future__ import annotations

from typing import Any

from jiki_auth.addresses import normalise_email
from jiki_auth.api.v1.signing_in import sign_in_reply
from jiki_auth.commands.confirm_address import confirm_address
from jiki_auth.commands.sign_in import finish_first_factor
from jiki_auth.errors import InvalidMailToken
from jiki_auth.jobs import answer_confirmation_request
from jiki_auth.schemas import ConfirmationQuery, ConfirmationRequestBody, ConfirmationSentReply, SignedInReply
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import count_confirmation_request
from jiki_auth.visitors import current_visitor
from jiki_core.db import unit_of_work
from jiki_core.errors import TooManyAttempts
from jiki_core.http import Blueprint, Reply, reply

blp = Blueprint("confirmation", __name__, url_prefix="/confirmation", description="Confirm an address")


@blp.route("", methods=["POST"])
@blp.arguments(ConfirmationRequestBody)
@blp.response(200, ConfirmationSentReply)
@blp.raises(TooManyAttempts)
def resend(body: dict[str, Any]) -> Reply:
    """Sends the link again. The answer is the same for every address."""
    count_confirmation_request()
    email = body["user"]["email"]
    with unit_of_work() as uow:
        uow.enqueue(answer_confirmation_request, email=normalise_email(email))
    return reply({"user": {"email": email}})


@blp.route("")
@blp.arguments(ConfirmationQuery, location="query")
@blp.response(200, SignedInReply)
@blp.raises(InvalidMailToken)
def confirm(query: dict[str, Any]) -> Reply:
    """Confirms the address of the link's token and signs in; accounts with a second factor are asked for it."""
    with unit_of_work() as uow:
        user_id = confirm_address(uow, query["confirmation_token"])
        outcome = finish_first_factor(uow, user_id, "confirmation", current_visitor(), auth_settings())
    return sign_in_reply(outcome, always_with_user=True)
