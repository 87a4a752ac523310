"""The identity of a request, job or socket: an opaque user id and what came with the credential."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from flask import g, request

from jiki_core.errors import Unauthenticated
from jiki_core.runtime import runtime

AuthMethod = Literal["session", "bearer", "api_key", "cable_token"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever proved to be somebody. Made by a plugin's `jiki_authenticate`, never by a route."""

    user_id: int
    method: AuthMethod
    #: public id of the session that carries it, if any
    session_id: str | None = None
    roles: frozenset[str] = frozenset()
    #: permissions of the roles, narrowed by the credential's scopes
    permissions: frozenset[str] = frozenset()
    expires_at: datetime | None = None


def current_identity() -> Identity | None:
    """The identity of the current request, None for a stranger; asked of the plugins once per request.

    Raises InvalidToken (or another DomainError) for a credential that is offered but bad.
    """
    if "jiki_identity" not in g:
        g.jiki_identity = runtime().authenticate(request)
    return cast("Identity | None", g.jiki_identity)


def me() -> Identity:
    """The identity of the current request; raises Unauthenticated for a stranger."""
    identity = current_identity()
    if identity is None:
        raise Unauthenticated()
    return identity


def become(identity: Identity | None) -> None:
    """Changes who the current request is, after a sign-in or sign-out within it."""
    g.jiki_identity = identity
