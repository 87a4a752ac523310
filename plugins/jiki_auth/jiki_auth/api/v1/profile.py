"""`internal/profile`: the sidebar's view of oneself, and one's picture (contract.md 2.5)."""

from __future__ import annotations

from typing import Any

from jiki_auth.avatars import MAX_BYTES, reencode
from jiki_auth.commands.change_avatar import remove_avatar, set_avatar
from jiki_auth.errors import AvatarTooLarge, InvalidAvatar
from jiki_auth.permissions import MANAGE_OWN_ACCOUNT, READ_OWN_ACCOUNT
from jiki_auth.queries.account import profile_shape
from jiki_auth.schemas import AvatarBody, ProfileReply
from jiki_core.db import unit_of_work
from jiki_core.errors import PayloadTooLarge, ValidationFailed
from jiki_core.http import Blueprint, Reply, policy, rate_class, reply
from jiki_core.security import me
from jiki_core.storage import store

blp = Blueprint("profile", __name__, url_prefix="/profile", description="The signed-in user's profile")
#: of the whole request: the picture and what a browser puts around it
BODY_BYTES = MAX_BYTES + 64 * 1024


@blp.route("")
@policy(READ_OWN_ACCOUNT)
@blp.response(200, ProfileReply)
def show() -> Reply:
    """The streak, or the total of active days, as the user wants."""
    return _shown()


@blp.route("/avatar", methods=["PUT", "PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.body_limit(BODY_BYTES)
@blp.arguments(AvatarBody, location="files")
@blp.response(200, ProfileReply)
@blp.raises(InvalidAvatar, AvatarTooLarge)
@blp.raises({ValidationFailed: (422, "invalid_avatar"), PayloadTooLarge: (422, "avatar_too_large")})
@rate_class("expensive")
def set_own_avatar(files: dict[str, Any]) -> Reply:
    """Drawn anew as a WebP of at most 512 pixels a side; nothing else of what was sent is kept."""
    sent = files["avatar"]
    drawn = reencode(sent.stream.read(), declared_type=sent.mimetype)
    staged = store("auth.avatar", drawn, filename="avatar.webp", user_id=me().user_id)
    with unit_of_work() as uow:
        set_avatar(uow, me().user_id, staged)
    return _shown()


@blp.route("/avatar", methods=["DELETE"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(200, ProfileReply)
def remove_own_avatar() -> Reply:
    """None there is fine."""
    with unit_of_work() as uow:
        remove_avatar(uow, me().user_id)
    return _shown()


def _shown() -> Reply:
    return reply({"profile": profile_shape(me().user_id)})
