"""`auth/account_deletion/*`: asked for by who is signed in, confirmed by a link from a mail (contract.md 3.13)."""

from __future__ import annotations

from typing import Any

from jiki_auth.commands.delete_account import delete_account, mail_deletion_link, prepare_deletion, read_deletion_token
from jiki_auth.cookies import clear_session_cookie
from jiki_auth.errors import InvalidMailToken, StripeError, TokenExpired
from jiki_auth.permissions import MANAGE_OWN_ACCOUNT
from jiki_auth.schemas import DeletionBody, EmptyReply
from jiki_core.db import unit_of_work
from jiki_core.errors import Unauthenticated
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import become, current_identity, me

blp = Blueprint("account_deletion", __name__, url_prefix="/account_deletion", description="Delete an account")


@blp.route("/request", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT, reason="only the owner may ask")
@blp.response(200, EmptyReply)
@blp.raises(Unauthenticated)
def request_deletion() -> Reply:
    """Mails a link that deletes the account; it works for an hour."""
    with unit_of_work() as uow:
        mail_deletion_link(uow, me().user_id)
    return reply({})


@blp.route("/confirm", methods=["POST"])
@blp.arguments(DeletionBody)
@blp.response(200, EmptyReply)
@blp.raises(InvalidMailToken, TokenExpired, StripeError)
def confirm(body: dict[str, Any]) -> Reply:
    """Ends what lies outside, then deletes the account and all that belongs to it, and signs out."""
    token = read_deletion_token(body["token"])
    prepare_deletion(token.user_id)
    with unit_of_work() as uow:
        delete_account(uow, token.user_id, reason="asked for by its owner")
    response = reply({})
    identity = current_identity()
    if identity is None or identity.user_id == token.user_id:
        become(None)
        clear_session_cookie(response)
    return response
