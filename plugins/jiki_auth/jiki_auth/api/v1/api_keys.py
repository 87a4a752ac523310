"""`internal/api_keys`: keys for programs (contract.md section 1). A key cannot make, rotate or delete keys."""

from __future__ import annotations

from typing import Any

from jiki_auth.api.v1.reauthentication import require_recent_sign_in
from jiki_auth.commands.api_keys import create_api_key, delete_api_key, rotate_api_key
from jiki_auth.errors import InvalidPassword, ReauthRequired
from jiki_auth.permissions import MANAGE_OWN_ACCOUNT
from jiki_auth.queries.api_keys import ListedKey, api_keys_of
from jiki_auth.schemas import ApiKeyBody, ApiKeyReply, ApiKeysReply, SudoBody
from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound, TooManyAttempts, ValidationFailed
from jiki_core.http import Blueprint, Reply, never_cache, no_content, policy, reply, timestamp
from jiki_core.security import me

blp = Blueprint("api_keys", __name__, url_prefix="/api_keys", description="Keys for programs")


@blp.route("")
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(200, ApiKeysReply)
def index() -> Reply:
    """All keys, without their secrets."""
    return reply({"api_keys": [_shape(key) for key in api_keys_of(me().user_id)]})


@blp.route("", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(ApiKeyBody)
@blp.response(201, ApiKeyReply)
@blp.raises(ValidationFailed, ReauthRequired, InvalidPassword, TooManyAttempts)
def create(body: dict[str, Any]) -> Reply:
    """A new key, shown this once. `scopes` are permissions of one's own, account security excepted."""
    require_recent_sign_in(body["sudo_password"])
    with unit_of_work() as uow:
        issued = create_api_key(
            uow,
            me().user_id,
            body["name"],
            body["scopes"],
            expires_at=body["expires_at"],
            allowed=me().permissions,
        )
    return never_cache(reply({"api_key": {**_shape(_own(issued.id)), "key": issued.text}}, status=201))


@blp.route("/<key_id>/rotate", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(SudoBody)
@blp.response(200, ApiKeyReply)
@blp.raises(NotFound, ReauthRequired, InvalidPassword, TooManyAttempts)
def rotate(body: dict[str, Any], key_id: str) -> Reply:
    """A new secret, shown this once; the old one works for another day."""
    require_recent_sign_in(body["sudo_password"])
    with unit_of_work() as uow:
        issued = rotate_api_key(uow, me().user_id, key_id)
    return never_cache(reply({"api_key": {**_shape(_own(issued.id)), "key": issued.text}}))


@blp.route("/<key_id>", methods=["DELETE"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(204)
@blp.raises(NotFound)
def delete(key_id: str) -> Reply:
    """At once."""
    with unit_of_work() as uow:
        delete_api_key(uow, key_id, owner_id=me().user_id)
    return no_content()


def _own(key_id: str) -> ListedKey:
    return next(key for key in api_keys_of(me().user_id) if key.id == key_id)


def _shape(key: ListedKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": timestamp(key.created_at),
        "expires_at": timestamp(key.expires_at),
        "last_used_at": timestamp(key.last_used_at),
    }
