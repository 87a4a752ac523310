"""`auth/unsubscribe/<token>`: the one-click button of mail programs (RFC 8058)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from flask import request

from jiki_auth.commands.change_settings import change_preferences, stop_mail
from jiki_auth.errors import InvalidUnsubscribeToken
from jiki_auth.queries.account import preferences_shape
from jiki_auth.schemas import UnsubscribedReply
from jiki_auth.unsubscribe_links import PREFERENCES, user_of_token
from jiki_core.db import unit_of_work
from jiki_core.errors import BadRequest
from jiki_core.http import Blueprint, Reply, read_body, reply, strict_json

blp = Blueprint("unsubscribe", __name__, url_prefix="/unsubscribe", description="One-click unsubscribe")
MAXIMUM_BODY_BYTES = 16_384


@blp.route("/<token>", methods=["POST"])
@blp.raw_body
@blp.response(200, UnsubscribedReply)
@blp.raises(InvalidUnsubscribeToken)
def create(token: str) -> Reply:
    """Turns one kind of mail off (`key`), or without a known kind all but account mail. Reversible by subscribe_all.

    Mail programs post a form to the link's URL, the web client JSON; hence no content type is asked for.
    """
    user_id = user_of_token(token)
    shape = preferences_shape(user_id) if user_id is not None else None
    if user_id is None or shape is None:
        raise InvalidUnsubscribeToken()
    key = _key()
    with unit_of_work() as uow:
        if key in PREFERENCES:
            change_preferences(uow, user_id, {key: False})
        else:
            stop_mail(uow, shape["email"])
    return reply({"unsubscribed": True, "email": shape["email"]})


def _key() -> str:
    """From the query, else a JSON body, else a form."""
    if "key" in request.args:
        return request.args["key"]
    raw = read_body(request)[:MAXIMUM_BODY_BYTES]
    if request.mimetype == "application/json" and raw:
        try:
            body: Any = strict_json(raw)
        except BadRequest:
            return ""
        return str(body.get("key") or "") if isinstance(body, dict) else ""
    return parse_qs(raw.decode("utf-8", "replace")).get("key", [""])[0]
