"""Who services are, and who may not write."""

from __future__ import annotations

import hmac

from flask import Request

from jiki_core import Identity, Policy, requires, signature
from jiki_core.runtime import runtime

WRITE: Policy = requires("frozen.write", reason="notes are read by others")


def key() -> str:
    """The key of services."""
    text: str = runtime().plugin_settings["frozen"].key.reveal()
    return text


def identity_of(request: Request) -> Identity | None:
    """`X-Frozen: <key>:<user id>` speaks for a user."""
    given, _, user_id = request.headers.get("X-Frozen", "").rpartition(":")
    if not user_id or not hmac.compare_digest(given.encode(), key().encode()):
        return None
    return Identity(int(user_id), "api_key", permissions=frozenset({"frozen.write"}))


def vote(identity: Identity, permission: str) -> bool | None:
    """Silenced users are denied; whoever has the permission is allowed; others decide about the rest."""
    if not permission.startswith("frozen."):
        return None
    if str(identity.user_id) in runtime().plugin_settings["frozen"].silenced:
        return False
    return True if permission in identity.permissions else None


def signed_by_service(request: Request) -> None:
    """Raises NotOurs."""
    from acme_frozen.errors import NotOurs

    if not hmac.compare_digest(request.headers.get("X-Signature", ""), key()):
        raise NotOurs()


SERVICE = signature(signed_by_service, reason="a service calls it")
