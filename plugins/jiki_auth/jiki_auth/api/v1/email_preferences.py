"""`external/email_preferences/<token>`: the public page behind the link of every mail (contract.md 3.14)."""

from __future__ import annotations

from typing import Any

from jiki_auth.commands.change_settings import change_preferences, subscribe_all, unsubscribe_all
from jiki_auth.errors import InvalidUnsubscribeToken
from jiki_auth.queries.account import preferences_shape
from jiki_auth.schemas import PreferencesBody, PreferencesReply
from jiki_auth.unsubscribe_links import user_of_token
from jiki_core.db import unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.http import Blueprint, Reply, never_cache, reply

blp = Blueprint("email_preferences", __name__, url_prefix="/email_preferences", description="Kinds of mail")


@blp.route("/<token>")
@blp.response(200, PreferencesReply)
@blp.raises(InvalidUnsubscribeToken)
def show(token: str) -> Reply:
    """Which kinds of mail are wanted."""
    return _shown(_owner(token))


@blp.route("/<token>", methods=["PATCH", "PUT"])
@blp.arguments(PreferencesBody)
@blp.response(200, PreferencesReply)
@blp.raises(InvalidUnsubscribeToken, ValidationFailed)
def update(body: dict[str, Any], token: str) -> Reply:
    """Changes those that are named."""
    user_id = _owner(token)
    with unit_of_work() as uow:
        change_preferences(uow, user_id, body)
    return _shown(user_id)


@blp.route("/<token>/unsubscribe_all", methods=["POST"])
@blp.response(200, PreferencesReply)
@blp.raises(InvalidUnsubscribeToken)
def none(token: str) -> Reply:
    """All kinds off."""
    user_id = _owner(token)
    with unit_of_work() as uow:
        unsubscribe_all(uow, user_id)
    return _shown(user_id)


@blp.route("/<token>/subscribe_all", methods=["POST"])
@blp.response(200, PreferencesReply)
@blp.raises(InvalidUnsubscribeToken)
def every(token: str) -> Reply:
    """All kinds on; takes an earlier complaint back."""
    user_id = _owner(token)
    with unit_of_work() as uow:
        subscribe_all(uow, user_id)
    return _shown(user_id)


def _owner(token: str) -> int:
    user_id = user_of_token(token)
    if user_id is None or preferences_shape(user_id) is None:
        raise InvalidUnsubscribeToken()
    return user_id


def _shown(user_id: int) -> Reply:
    return never_cache(reply({"email_preferences": preferences_shape(user_id)}))
