"""`POST internal/cable_token`: a short-lived token that opens a socket where cookies do not reach."""

from __future__ import annotations

import time

from jiki_core.cable.tokens import TOKEN_SECONDS, issue_cable_token
from jiki_core.http import Blueprint, Reply, Schema, fields, never_cache, reply
from jiki_core.runtime import runtime
from jiki_core.security import me

blp = Blueprint("cable_token", __name__, url_prefix="/cable_token", description="Tokens that open sockets")


class CableTokenReply(Schema):
    token = fields.Text(required=True)
    expires_in = fields.Whole(required=True)
    meta = fields.Dict(required=True)


@blp.route("", methods=["POST"])
@blp.response(200, CableTokenReply)
def create() -> Reply:
    """Valid for five minutes; passed as `jid` or as the subprotocol `anycable-token.<token>`."""
    identity = me()
    token = issue_cable_token(
        runtime().settings.cable_key, identity.user_id, session_id=identity.session_id, now=time.time()
    )
    return never_cache(reply({"token": token, "expires_in": TOKEN_SECONDS}))
